/*
 * Kernel AIO on FunctionFS endpoints. See transfer.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/transfer.h"

#include <assert.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define USB_HARVEST_MAX 8

static int usb_transfer_submit(struct usb_transfer *transfer, io_context_t context, int bell,
	bool quiet)
{
	struct iocb *iocb = &transfer->iocb;
	int r;

	assert(!usb_transfer_is_active(transfer));
	iocb->data = transfer;
	io_set_eventfd(iocb, bell);
	transfer->quiet = quiet;
	transfer->stale = false;
	r = io_submit(context, 1, &iocb);
	if (r != 1)
		return r < 0 ? r : -EIO;
	transfer->busy = true;
	return 0;
}

int usb_transfer_read(struct usb_transfer *transfer, io_context_t context, int bell, uint8_t *bytes,
	size_t size)
{
	io_prep_pread(&transfer->iocb, transfer->fd, bytes, size, 0);
	return usb_transfer_submit(transfer, context, bell, false);
}

int usb_transfer_write(struct usb_transfer *transfer, io_context_t context, int bell, bool quiet,
	const uint8_t *bytes, size_t size)
{
	/* libaio has one type of buffer for both directions; a write leaves it alone. */
	io_prep_pwrite(&transfer->iocb, transfer->fd, (void *)(uintptr_t)bytes, size, 0);
	return usb_transfer_submit(transfer, context, bell, quiet);
}

bool usb_transfer_is_active(const struct usb_transfer *transfer)
{
	return transfer->busy || transfer->done;
}

void usb_transfer_recall(struct usb_transfer *transfer, io_context_t context)
{
	struct io_event unused;

	/* EINPROGRESS, or EINVAL if it is through already; the completion comes either way. */
	if (transfer->busy)
		(void)io_cancel(context, &transfer->iocb, &unused);
}

void usb_transfer_abandon(struct usb_transfer *transfer, io_context_t context)
{
	if (!usb_transfer_is_active(transfer) || transfer->stale)
		return;
	transfer->stale = true;
	usb_transfer_recall(transfer, context);
}

int usb_transfer_harvest(io_context_t context)
{
	struct io_event events[USB_HARVEST_MAX];
	struct timespec at_once = { .tv_sec = 0 };
	int n;

	n = io_getevents(context, 0, USB_HARVEST_MAX, events, &at_once);
	for (int i = 0; i < n; i++) {
		struct usb_transfer *transfer = events[i].data;

		transfer->busy = false;
		transfer->done = true;
		transfer->result = (long)events[i].res;
	}
	return n < 0 && n != -EINTR ? n : 0;
}

bool usb_transfer_is_lost(long result)
{
	switch (result) {
	case -ESHUTDOWN:  /* the endpoint was disabled under the transfer */
	case -EAGAIN:     /* it was disabled before; O_NONBLOCK */
	case -ECONNRESET: /* dequeued */
	case -ENODEV:     /* unbound */
		return true;
	default:
		return false;
	}
}

void usb_transfer_deinit(struct usb_transfer *transfer)
{
	if (transfer->fd >= 0)
		(void)close(transfer->fd);
	*transfer = USB_TRANSFER_NULL;
}
