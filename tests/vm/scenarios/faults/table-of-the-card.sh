# SPDX-License-Identifier: BSD-3-Clause
#
# What happens when the host's pcscd, the reader, the card or another program does what it may do at
# any time, row by row.
#
# Host:    pcscd is killed and started again, once without the reader; the card is pulled, drops out
#          of an APDU, is reset by a program; programs hold a transaction. It is reset, and pulled and
#          put back, while a program in the guest has verified a PIN and rests.
# Guest:   the SCard program, with its card in use each time; watch; usbmon.
# Asserts: what the driver was answered, what pcscd made of it, how many APDUs reached the card,
#          that the card is used again, and bounds for how long that took. After a foreign reset the
#          next APDU fails and is not at the card; only after the removal and insertion the card is
#          there again, without the PIN.
#
# Limit: 300

relay_start t1
rows_start

# begin NAME STEP...: a program in the guest
begin()
{
	guest_start "$1" "/build/tests/pcsc/exchange --wait 15 ${*:2}"
}

# sent NAME: the program in the guest has connected, and sends its APDU now
sent()
{
	wait_for 15 "$row: the program's connection" log_has "guest-$1" "connect: ok"
}

row "pcscd killed and started again"
begin service delay 3000
wait_for 15 "$row: the APDU at the card" row_apdu_begun
row_now
host_pcscd_kill
host_pcscd_start
assert_equal "$row: exit status" 1 "$(guest_end service 15)"
row_assert_failed "80 . F[BE]"
wait_for 20 "$row: removal and insertion" row_saw "empty present"
row_recovers
row_end 2

row "reader unplugged"
host_pcscd_stop
host_reader_config 0
row_now
host_pcscd_start
wait_for 20 "$row: no reader in the guest" row_saw "removed"
assert_fails "$row: no reader on the bus" guest_has_usb_reader
host_pcscd_stop
host_reader_config 1
row_now
host_pcscd_start
wait_for 20 "$row: the reader is back" row_saw "removed .*added"
row_recovers
row_end 1

row "card pulled while it works"
begin pulled delay 3000
wait_for 15 "$row: the APDU at the card" row_apdu_begun
row_now
card_remove
assert_equal "$row: exit status" 1 "$(guest_end pulled 10)"
wait_for 5 "$row: a removal" row_saw "empty"
row_assert_failed "80 . F[BE]"
card_insert
wait_for 10 "$row: an insertion" row_saw "empty present"
row_recovers
row_end 2

row "card pulled before it has the APDU"
row_host transaction begin begin + sleep 60000
begin waiting connect + delay 100
sent waiting
row_now
card_remove
assert_equal "$row: exit status" 1 "$(guest_end waiting 10)"
row_assert_failed "80 2 FE"
process_kill transaction
card_insert
wait_for 10 "$row: an insertion" row_saw "empty present"
row_recovers
row_end 1

row "host program holds a transaction"
row_host held begin begin + sleep 60000
begin busy connect + delay 100
sent busy
row_now
wait_for 60 "$row: the end of the program" log_has guest-busy "exchange: "
assert_equal "$row: exit status" 1 "$(guest_end busy)"
assert_at_most "$row: ms until the driver was told" 40000 "$(ms_since "$row_fault")"
assert "$row: time extensions" [ "$(row_extensions)" -ge 30 ]
row_assert_failed "80 . E0"
assert_equal "$row: nothing was sent" 0 "$(($(apdus_at_card) - row_apdus))"
process_kill held
row_recovers
row_end 1

row "host program resets the card"
row_host resetting begin begin + sleep 2000 + reset warm + end
begin reset connect + delay 100
sent reset
row_now
assert_equal "$row: exit status" 1 "$(guest_end reset 15)"
row_assert_failed "80 . FE"
wait_for 10 "$row: removal and insertion" row_saw "empty present"
process_end resetting
row_recovers
row_end 1

# verified NAME: a program in the guest has verified, and does nothing
verified()
{
	begin "$1" select + verify 123456 + sleep 60000
	wait_for 15 "$row: the PIN" log_has "guest-$1" "verify: ok"
	row_now
}

for kind in warm cold; do
	row "host program resets ($kind) the card of a guest that rests"
	verified "rests-$kind"
	host_exchange reset "$kind" >/dev/null
	guest_try "/build/tests/pcsc/exchange sign" && fail "$row: signed"
	assert_equal "$row: no SIGN at the card" 2 "$(($(apdus_at_card) - row_apdus))"
	row_assert_failed "80 . FE"
	wait_for 10 "$row: removal and insertion" row_saw "empty present"
	guest_exchange sign expect 6982 >/dev/null
	guest_kill_program "rests-$kind"
	row_recovers
	row_end 4
done

row "card pulled and put back while the guest rests"
verified swapped
card_ctl swap 500 >/dev/null
wait_for 10 "$row: removal and insertion" row_saw "empty present"
guest_exchange sign expect 6982 >/dev/null
guest_kill_program swapped
row_recovers
row_end 4

row "pcscd reports success with no bytes"
begin drop drop fin 10
assert_equal "$row: exit status" 1 "$(guest_end drop 20)"
row_assert_failed "80 . FB"
wait_for 10 "$row: removal and insertion" row_saw "empty present"
row_recovers
row_end 2

assert_no_stuck_task
assert_kernel_quiet
