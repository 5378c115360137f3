# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The scripted PIN pad (tests/pinpad) as a reader of the host's pcscd, beside the vpcd readers, and what
# is read in its log, $RESULTS/pinpad.log.

PINPAD=/run/pinpad

# pinpad_reader_config: both kinds of reader.
pinpad_reader_config()
{
	mkdir "$PINPAD"
	: >"$RESULTS/pinpad.log"
	ln -s "$RESULTS/pinpad.log" "$PINPAD/log"
	host_reader_config
	cat >>"$RESULTS/reader.conf" <<-END
		FRIENDLYNAME "Scripted PIN pad"
		DEVICENAME $PINPAD
		LIBPATH $HOST_PROGRAMS/tests/pinpad/libifdpinpad.so
		CHANNELID 0
	END
}

# pinpad_relay_start [GUEST-OPTION...]: host, guest and gadget with the PIN pad as the only reader.
pinpad_relay_start()
{
	pinpad_reader_config
	host_pcscd_start
	host_bridge_config 'readers = { "Scripted*" }' "$@"
	host_bridge_start
	host_tunnel_start
	guest_boot
	guest_gadget_config 'reader "Scripted*" {}'
	guest_gadget_start
	wait_for 20 "the reader on the guest's bus" guest_has_usb_reader
}

# pinpad_bridge_restart GUEST-OPTION...
pinpad_bridge_restart()
{
	host_bridge_stop
	host_bridge_config 'readers = { "Scripted*" }' "$@"
	host_bridge_start
}

# pinpad_script LINE...: what the next PIN entries and escapes come to.
pinpad_script()
{
	printf '%s\n' "$@" >"$PINPAD/script"
}

# Ends what hangs.
pinpad_go()
{
	touch "$PINPAD/go"
}

# pinpad_last EVENT: the last line of this event, without its time.
pinpad_last()
{
	sed -n "s/^[0-9.]* \($1 .*\)/\1/p" "$PINPAD/log" | tail -n 1
}

pinpad_count()
{
	grep -c "^[0-9.]* $1" "$PINPAD/log" || true
}

# pinpad_is_beyond EVENT COUNT: there were more of these events; for wait_for.
pinpad_is_beyond()
{
	[ "$(pinpad_count "$1")" -gt "$2" ]
}

# True when the card holds no verified PIN: the last of these events is not "verified".
pinpad_is_clean()
{
	[ "$(sed -n 's/^[0-9.]* \(verified\|power\).*/\1/p' "$PINPAD/log" | tail -n 1)" != verified ]
}

# pinpad_raw WORD...: the program that drives the reader by libusb, in the guest; pcscd must not run.
pinpad_raw()
{
	guest_within 60 "/build/tests/pinpad/ccid-pinpad $*"
}

# pinpad_descriptor FIELD [READER]: of the class descriptor of the reader whose interface has this name,
# as lsusb shows it.
pinpad_descriptor()
{
	guest 'lsusb -v -d 0e0f:0004 2>/dev/null' | field=$1 reader=${2:-Scripted} perl -e '
		for (split /^Bus /m, join "", <>) {
			next unless /^ *iInterface .*\Q$ENV{reader}\E/m;
			print join(" ", split " ", $1), "\n" if /^ *\Q$ENV{field}\E (.*)/m;
		}'
}
