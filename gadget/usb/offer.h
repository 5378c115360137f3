/*
 * When a message may be put on bulk IN. Sans-I/O: it is told what can be seen of the host, and says
 * what to do.
 *
 * What is put on an endpoint before the host asks for it can't be kept from whoever asks next. Of up
 * to 64 bytes it can't even be taken back (dummy_hcd.c: an "emulated single-request FIFO", without
 * a flush); of more it can, but a new driver sends its first command and reads within the time that
 * the kernel needs to tell us of the command. And libccid takes any answer for that of its APDU: it
 * checks neither bSeq nor type. So a message stays here until the host asks for it:
 *
 *     the host asks for it    a command came a moment ago, and its driver waits: it is written.
 *                             Else, it may be another driver, whose command has been read by the
 *                             kernel and not been harvested yet. The read on bulk OUT is taken
 *                             back, which shows whether it had brought something: if not, no other
 *                             driver's command is anywhere, and the message is written
 *     the host doesn't ask    look again, soon and then less often; at last, it is dropped
 *
 * What is left: a driver that gives up in the 125 us between our look and dummy_hcd's next round.
 *
 * A notification waits for the host in the same way, but without an end.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/* us from one look to the next: the first, and the longest that it doubles to */
#define USB_OFFER_FIRST 50
#define USB_OFFER_LONGEST 102400
#define USB_OFFER_LONGEST_NOTIFICATION 1638400

/* How many looks until nobody is expected to ask any more: that is after ten seconds. */
#define USB_OFFER_LOOKS 110

/*
 * us after a command for which it is that command's driver who asks. Another one can't have come in
 * so short a time: it would have to be started, and to find and open the device.
 */
#define USB_OFFER_FRESH 20000

enum usb_offer_step {
	USB_OFFER_WRITE,  /* it may be written */
	USB_OFFER_RECALL, /* take back the read on bulk OUT, then look again */
	USB_OFFER_LATER,  /* look again when the wait is over */
	USB_OFFER_DROP,   /* nobody wants it */
};

struct usb_offer {
	unsigned int looks; /* in vain */
};

#define USB_OFFER_NULL ((struct usb_offer){ .looks = 0 })

/* What can be seen. */
struct usb_offer_view {
	bool demand;       /* the host asks for a message */
	bool out_is_armed; /* a read is under way that may bring a command, or has brought it */
	bool out_is_inside; /* a command is half read */
	uint64_t age;      /* us since the last command */
};

/* How long to wait after so many looks in vain, us. */
uint64_t usb_offer_wait(unsigned int looks, uint64_t longest);

/* Looks once more. *wait, us, is set for USB_OFFER_LATER. A new message begins with NULL. */
enum usb_offer_step usb_offer_look(struct usb_offer *offer, const struct usb_offer_view *view,
	uint64_t *wait);
