"""Spreadsheets: a project's plan goes out as XLSX, CSV or JSON, and comes back."""
