"""Jobs and attempts: submit, dispatch, record, sweep."""
