#!/bin/bash
# The power fails at any moment of an import, a removal, a collection, with all that was not synced
# lost, damaged or there: the store is the one before or after, and never less than was reported.
source "$(dirname "$0")/lib.sh"
require strace faketime
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"

timeout 280 python3 "$support/power_loss.py" "$IMAGEFS" "$work" || fail "see above"
