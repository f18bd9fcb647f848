"""What a browser sends when a form is submitted as it was shown, read from the page itself."""

from __future__ import annotations

from collections.abc import Iterator
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


def form_with(html: str, field: str) -> dict[str, Any]:
    """The fields of the form that has this one, texts in it included; fails if there is none."""
    for form in _forms(html):
        if field in form.sent:
            return {name: values[-1] for name, values in form.sent.items()}
    raise AssertionError(f"no form has a field {field}")


def _forms(html: str) -> Iterator[_WholeForm]:
    rest = html
    while (start := rest.find("<form")) >= 0:
        end = rest.index("</form>", start) + len("</form>")
        form = _WholeForm("")
        form.feed(rest[start:end])
        yield form
        rest = rest[end:]


class _WholeForm(_Form):
    """A form whose long texts are read too."""

    area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "textarea":
            self.area = dict(attrs).get("name") or ""

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area] = [self.sent[self.area][-1] + data]
