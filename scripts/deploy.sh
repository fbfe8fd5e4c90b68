#!/usr/bin/env bash
# The deployment under the name that existing scripts use; the arguments are those of "phoenix deploy".
set -euo pipefail
cd "$(dirname "$0")/.."
exec node bin/phoenix.js deploy "$@"
