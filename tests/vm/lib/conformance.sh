# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The conformance program (tests/conformance) in the guest, with the reader to itself.

# conformance_run AT-LEAST [OPTION...]: fails unless every case that could run was ok, and at least
# so many were, and the reader's daemon has survived. The table is conformance.log in the results
# folder.
conformance_run()
{
	local least=$1 status=0 ran daemon
	shift
	daemon=$(guest 'cat /run/gadget.pid')
	guest_stop_program pcscd >/dev/null
	guest_within 400 "/build/tests/conformance/ccid-conformance $*" >"$RESULTS/conformance.log" ||
		status=$?
	grep -F FAILED "$RESULTS/conformance.log" || true
	tail -n 1 "$RESULTS/conformance.log"
	assert_equal "exit status of ccid-conformance" 0 "$status"
	ran=$(grep -c ' ok$' "$RESULTS/conformance.log" || true)
	assert "$least cases at least, not $ran" [ "$ran" -ge "$least" ]
	assert "the daemon is the same process" guest_try "kill -0 $daemon"
	assert_no_stuck_task
	assert_kernel_quiet
}
