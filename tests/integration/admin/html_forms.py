"""What a browser sends when a form is submitted as it was shown, read from the page itself."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class _Form(HTMLParser):
    """The fields of the first form whose action holds a text ("" is any)."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.state = "before"
        self.sent: dict[str, list[str]] = {}
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name, value = told.get("name") or "", told.get("value") or ""
        if tag == "form" and self.state == "before" and self.action in (told.get("action") or ""):
            self.state = "inside"
        elif self.state != "inside":
            return
        elif tag == "select":
            self.select = name
        elif tag == "option" and (name := self.select):
            if "selected" in told:
                self.sent[name] = [value]
            self.sent.setdefault(name, [value])
        elif tag == "input" and name:
            if told.get("type") in ("checkbox", "radio") and "checked" not in told:
                return
            if told.get("type") != "submit":
                self.sent.setdefault(name, []).append(value)
        elif tag == "textarea" and name:
            self.sent.setdefault(name, [""])

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "form" and self.state == "inside":
            self.state = "after"


def sent_by(html: str, action: str) -> dict[str, Any]:
    """The fields of the form with this address; fails if there is none."""
    form = _Form(action)
    form.feed(html)
    assert form.state == "after", f"no form leads to {action}"
    return dict(form.sent)
