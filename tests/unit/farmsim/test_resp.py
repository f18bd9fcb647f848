from __future__ import annotations

import pytest

from tests.farmsim.resp import Parser, Refused, encode

ANSWERS = b"+OK\r\n:12\r\n$-1\r\n$5\r\na\r\nbc\r\n*2\r\n$1\r\nq\r\n*-1\r\n-OOM no room\r\n*0\r\n"


def test_a_command_is_written_by_its_bytes() -> None:
    assert (
        encode(("LPUSH", "큐", b"\xff", 0))
        == b"*4\r\n$5\r\nLPUSH\r\n$3\r\n\xed\x81\x90\r\n$1\r\n\xff\r\n$1\r\n0\r\n"
    )


@pytest.mark.parametrize("size", range(1, len(ANSWERS) + 1))
def test_answers_are_read_however_they_are_cut(size: int) -> None:
    parser = Parser()
    pieces = [ANSWERS[start : start + size] for start in range(0, len(ANSWERS), size)]
    read = [reply for piece in pieces for reply in parser.feed(piece)]
    assert read[:5] == [b"OK", 12, None, b"a\r\nbc", [b"q", None]]
    assert isinstance(read[5], Refused)
    assert str(read[5]) == "OOM no room"
    assert read[6] == []
