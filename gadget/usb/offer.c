/*
 * The decision. See offer.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/offer.h"

uint64_t usb_offer_wait(unsigned int looks, uint64_t longest)
{
	uint64_t wait = USB_OFFER_FIRST;

	for (unsigned int i = 0; i < looks && wait < longest; i++)
		wait *= 2;
	return wait;
}

static enum usb_offer_step usb_offer_later(struct usb_offer *offer, uint64_t *wait)
{
	*wait = usb_offer_wait(offer->looks, USB_OFFER_LONGEST);
	offer->looks++;
	return offer->looks < USB_OFFER_LOOKS ? USB_OFFER_LATER : USB_OFFER_DROP;
}

enum usb_offer_step usb_offer_look(struct usb_offer *offer, const struct usb_offer_view *view,
	uint64_t *wait)
{
	/* A driver sends all of a command before it reads: what asks now is not ours to answer. */
	if (!view->demand || view->out_is_inside)
		return usb_offer_later(offer, wait);
	if (view->age <= USB_OFFER_FRESH || !view->out_is_armed)
		return USB_OFFER_WRITE;
	return USB_OFFER_RECALL;
}
