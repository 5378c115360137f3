# SPDX-License-Identifier: BSD-3-Clause
#
# The same reader of the host is the same device in the guest, with its place, serial number and name,
# whatever is restarted, unplugged and numbered anew. Who is who is told by the cards, of which each has
# lines of its own in the log.
#
# Host:    four readers with a card each, two of them twins: "Alpha 00 00", "Twin 01 00", "Twin 02 00" and
#          "Zeta 03 00", all of one driver (tests/card/many-vpcd.c), so that pcscd numbers them in its
#          order; it is started again with them in another order, with some and with one more; the
#          bridge is restarted.
# Guest:   at first reader "*"; then two patterns that match the same readers, and one that matches none
#          yet; ccid-gadget and pcscd are restarted.
# Asserts: each card is reached by way of the port and serial number that it had at first; who stays on
#          the host stays the same USB device, who comes back gets its port back, whoever is first. Two
#          patterns have two readers; one that matches nothing says so once, and has its reader when it
#          comes.
#
# Readers that come and go, and the ports for them: all-readers.
#
# Limit: 240

# readers NAME=COPY...: what the host's pcscd will have, in this order; a copy of vpcd is a reader, with
# the card at its port in it.
readers()
{
	local reader port
	for reader in "$@"; do
		port=$(printf '0x%X' $((VPCD_PORT + 2 * ${reader#*=})))
		cp "$VM/vpcd/libifdvpcd.so" "$MANY_VPCD/$port.so"
		printf 'FRIENDLYNAME "%s"\nDEVICENAME /dev/null:%s\n' "${reader%=*}" "$port"
		printf 'LIBPATH %s\nCHANNELID %s\n' "$HOST_PROGRAMS/tests/card/libmany-vpcd.so" "$port"
	done >"$RESULTS/reader.conf"
}

# host_has NAME=COPY...: pcscd is started again with these
host_has()
{
	host_pcscd_stop
	readers "$@"
	host_pcscd_start
}

# The readers of the guest's USB, a line each: port, serial number, name, and its number on the bus,
# which another device would have anew.
guest_usb()
{
	guest 'grep -l -x 0b /sys/bus/usb/devices/*/bInterfaceClass | while read -r file; do
		interface=$(dirname "$file")
		device=${interface%:*}
		port=$(readlink -f "$device" | sed "s,.*/dummy_hcd\.\([0-9]*\)/.*,\1,")
		echo "$port $(cat "$device/serial") $(cat "$interface/interface") $(cat "$device/devnum")"
	done' | sort -n
}

without_devnum()
{
	sed 's/ [0-9]*$//'
}

# Which card is behind the guest's USB device with this serial number: an APDU tells.
card_behind()
{
	local before
	before=$(card_log_mark)
	guest_try "/build/tests/pcsc/exchange --wait 15 --reader '*($1)*' select" || return
	awk -F'[ =]' -v mark="$before" '$2 > mark && /ev=apdu-begin/ { print $8 }' "$RESULTS/card.log" |
		sort -u | xargs
}

# The same with the card in each line: "port serial name card".
guest_cards()
{
	local port serial name
	guest_usb | without_devnum | while read -r port serial name; do
		echo "$port $serial $name $(card_behind "$serial")"
	done
}

has_readers()
{
	[ "$(guest_readers | wc -l)" = "$1" ] && [ "$(guest_usb | wc -l)" = "$1" ]
}

# all_the_same WHAT: the four are who they were at first
all_the_same()
{
	wait_for 30 "$1: four readers" has_readers 4
	assert_equal "$1: ports, serial numbers, names and cards" "$first" "$(guest_cards)"
}

export MANY_VPCD=$HOST_RUN
readers Alpha=0 Twin=1 Twin=2 Zeta=3
host_pcscd_start
card_start "$VPCD_PORT:t1" "$((VPCD_PORT + 2)):t1" "$((VPCD_PORT + 4)):t1" "$((VPCD_PORT + 6)):t1" \
	"$((VPCD_PORT + 8)):t1"
host_bridge_start
host_tunnel_start
guest_boot
guest_load_usb 5
guest_tunnel_start
guest_gadget_config 'reader "*" {}'
guest_gadget_start_only
guest_pcscd_start

echo "at first"
wait_for 30 "four readers" has_readers 4
first=$(guest_cards)
echo "$first"
assert_equal "cards" "0 1 2 3" "$(awk '{ print $NF }' <<<"$first" | xargs)"
assert_equal "ports" "0 1 2 3" "$(cut -d' ' -f1 <<<"$first" | xargs)"
assert_equal "serial numbers" 4 "$(cut -d' ' -f2 <<<"$first" | sort -u | wc -l)"
devices=$(guest_usb)

echo "numbered anew"
host_has Twin=1 Twin=2 Alpha=0 Zeta=3
all_the_same "numbered anew"
assert_equal "nothing was unplugged" "$devices" "$(guest_usb)"

echo "the bridge is restarted, and the numbers are others"
host_bridge_stop
host_has Zeta=3 Alpha=0 Twin=1 Twin=2
host_bridge_start
all_the_same "bridge restarted"
assert_equal "nothing was unplugged" "$devices" "$(guest_usb)"

echo "two go, and come back one by one"
host_has Twin=1 Twin=2
wait_for 30 "two readers" has_readers 2
assert_equal "the twins stay" "$(grep Twin <<<"$devices")" "$(guest_usb)"
host_has Zeta=3 Twin=1 Twin=2
wait_for 30 "three readers" has_readers 3
assert_equal "the other one's port is free" "$(grep -v Alpha <<<"$first")" "$(guest_cards)"
host_has Zeta=3 Twin=1 Alpha=0 Twin=2
all_the_same "all are back"

echo "the guest's pcscd and ccid-gadget are restarted"
guest_stop_program pcscd >/dev/null
guest_pcscd_start
all_the_same "guest's pcscd restarted"
guest_kill_program gadget
host_has Twin=1 Twin=2 Zeta=3 Alpha=0
guest_gadget_start_only
all_the_same "ccid-gadget killed, started again"

echo "patterns"
guest_stop_program gadget >/dev/null
guest_gadget_config 'reader "Tw*" { udc = "dummy_udc.3" }' 'reader "*win" {}' 'reader "N*" {}' \
	'reader "Tw?n" {}'
guest_start gadget "/build/gadget/ccid-gadget -c /results/gadget.conf"
wait_for 30 "two readers" has_readers 2
patterns=$(guest_cards)
echo "$patterns"
assert_equal "cards, each once" "1 2" "$(awk '{ print $NF }' <<<"$patterns" | sort | xargs)"
assert_equal "the first twin at the port that it was given" 1 "$(awk '$1 == 3 { print $NF }' <<<"$patterns")"
host_has Alpha=0 Zeta=3 Twin=1 Twin=2
wait_for 30 "two readers" has_readers 2
assert_equal "the same" "$patterns" "$(guest_cards)"
for pattern in 'N*' 'Tw?n'; do
	assert_equal "its word on $pattern" 1 "$(log_count guest-gadget "reader \"$pattern\" matches none")"
done
host_has Alpha=0 Zeta=3 Twin=1 Twin=2 New=4
wait_for 30 "a third reader" has_readers 3
assert_equal "who waited has it" "$patterns" "$(guest_cards | grep -v New)"
assert_equal "card behind it" 4 "$(guest_cards | awk '/New/ { print $NF }')"

assert_no_stuck_task
assert_kernel_quiet
