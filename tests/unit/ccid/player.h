/*
 * Plays conversations with a slot: lines of text, one event each, in the order in which they happen.
 *
 * What goes in:
 *
 *     enable 512                 a driver may use the device; packets of 512 bytes
 *     disable                    the device is not configured any more
 *     desert                     the driver has gone, and says nothing
 *     card 7                     the host says: a card is there, insertion 7
 *     card -                     the host says: no card
 *     out 65 00000000 00 01 ...  these bytes come from bulk OUT
 *     xfr 05 0001 100 2055       XfrBlock with bSeq 05 and wLevelParameter 0001, whose abData are bytes
 *                                100 to 2154 of the pattern
 *     reply connect T1 3B80...   the oldest open call has ended well: protocol, data
 *     reply 5                    it has ended with this enum wire_outcome
 *     reply pattern 300          it has ended well, with 300 bytes of the pattern
 *     reply pattern 300 asked 65556   likewise, while the driver asks for so many bytes on bulk IN
 *     late 2                     call number 2 ends well, with 9000: nobody waits for it
 *     control 21 01 0500         bmRequestType 21, bRequest 01, wValue 0500
 *     wait 500                   so many milliseconds go by, in steps as the slot's deadline asks
 *     hold, release              from now on the host does not read bulk IN; it has read it
 *
 * What comes out, and must come out in this order, before the next line that goes in:
 *
 *     in 81 00000000 00 01 ...   these bytes go to bulk IN
 *     block 05 00 00 01 0 2055   DataBlock with bSeq, bStatus, bError, bChainParameter, and abData that
 *                                are 2055 bytes of the pattern from byte 0 on
 *     cancel                     what is on bulk IN is taken back
 *     notify 5003                these bytes go to interrupt IN
 *     call connect unpower 3     the host is asked to connect: initialization, protocols
 *     call disconnect
 *     call transmit 00A40000     these bytes are to go to the card
 *     call secure 001E82         these bytes describe a PIN entry
 *     call escape 0102           these bytes are for the reader
 *     call cancel                the PIN entry, or the escape, is to be ended
 *     call pattern 300           300 bytes of the pattern are to go to the card
 *     answer 0 / answer -1 / answer A00F0000   to the class request
 *
 * Byte i of the pattern is i * 7 + i / 256, cut to eight bits. Spaces between hexadecimal digits don't
 * count.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* The lines of a conversation, with the NULL at its end. */
#define LINES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Plays the lines up to a NULL with a new slot. Fails the running cmocka test where they differ. */
void play(const char *const *lines);

/* The same, after the lines that bring the slot to an active T=1 card; see player.c. */
void play_active(const char *const *lines);

/* The same with a reader that has a PIN pad, which can do this (bPINSupport). */
void play_active_pin_pad(uint8_t bPINSupport, const char *const *lines);
