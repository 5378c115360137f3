# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What crosses the guest's USB bus, seen by the kernel's own usbmon and not by any of our programs.
#
# A line of usbmon is ADDRESS TIME(us) S|C TYPE:BUS:DEVICE:ENDPOINT STATUS LENGTH = WORDS, where a word
# is four bytes. A CCID message begins with bMessageType and the low bytes of dwLength; bSeq is the
# third byte of the second word, bStatus of a response its fourth.

usbmon_start()
{
	guest_try 'modprobe usbmon
		mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug'
	guest_start usbmon "cat /sys/kernel/debug/usb/usbmon/0u"
}

usbmon_stop()
{
	guest_kill_program usbmon
}

# usbmon_extensions: the times of all time extensions (bStatus 80 in a DataBlock), in us.
usbmon_extensions()
{
	awk '$3 == "C" && $4 ~ /^Bi/ && $7 == "=" && substr($8, 1, 2) == "80" && $9 ~ /80$/ { print $2 }' \
		"$RESULTS/guest$GUEST-usbmon.log"
}

# usbmon_answers TYPE: for each command of this type (hexadecimal) on bulk OUT, how many ms passed
# until the response with its bSeq; "never" if there was none.
usbmon_answers()
{
	awk -v type="$1" '
		$3 == "S" && $4 ~ /^Bo/ && $7 == "=" && substr($8, 1, 2) == type {
			asked[++n] = $2; seq[n] = substr($9, 5, 2); answer[n] = "never"
		}
		$3 == "C" && $4 ~ /^Bi/ && $7 == "=" {
			for (i = n; i > 0 && answer[i] == "never"; i--)
				if (seq[i] == substr($9, 5, 2) && $9 !~ /80$/) {
					answer[i] = int(($2 - asked[i]) / 1000)
					break
				}
		}
		END { for (i = 1; i <= n; i++) print answer[i] }' "$RESULTS/guest$GUEST-usbmon.log"
}

# usbmon_failures: each command that failed (bmCommandStatus 1), as bMessageType of the response,
# bmICCStatus (0 active, 1 inactive, 2 absent) and bError: "80 2 FE".
usbmon_failures()
{
	awk '$3 == "C" && $4 ~ /^Bi/ && $7 == "=" && substr($9, 7, 1) == "4" {
			print substr($8, 1, 2), substr($9, 8, 1), toupper(substr($10, 1, 2))
		}' "$RESULTS/guest$GUEST-usbmon.log"
}
