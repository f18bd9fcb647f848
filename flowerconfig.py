"""Flower reads this file where it starts. Without a password it would show and stop work for everybody."""

import os
import sys

_NAMED = any(argument.startswith(("--basic-auth", "--basic_auth", "--auth")) for argument in sys.argv)

if not (_NAMED or os.environ.get("FLOWER_BASIC_AUTH") or os.environ.get("FLOWER_AUTH")):
    raise SystemExit(
        "FLOWER_BASIC_AUTH is not set, so anybody could read and steer the farm's tasks; "
        "set it to user:password (in the environment: arguments are shown to every user of the machine)."
    )
if any(argument.startswith(("--basic-auth", "--basic_auth", "--broker", "-b")) for argument in sys.argv):
    raise SystemExit(
        "A password among the arguments is shown to every user of the machine; "
        "set FLOWER_BASIC_AUTH and REDIS_URL in the environment instead."
    )
