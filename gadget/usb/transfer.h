/*
 * One asynchronous read or write on an endpoint file.
 *
 * FunctionFS endpoints can't be polled, and a plain read or write waits in the kernel whatever
 * O_NONBLOCK says. Kernel AIO with an eventfd is the one model that can be cancelled and that dies
 * with its process; io_uring keeps the gadget bound after a kill -9.
 *
 * Nor is there one that lets the daemon do something else meanwhile and is clearly cheaper. The bare reader of
 * tests/bench took so many ms at the median, in an emulated guest, for an answer without data and for one of
 * 65,000 bytes in blocks: one thread with plain calls 1.04 and 21.3; AIO 1.30 and 27.9; a thread for each
 * direction 1.32 and 32.0; a thread that reads, and AIO that writes, 1.47 and 33.9. In a shorter run beside
 * other load, AIO took 1.62 and 37.1, threads 1.41 and 34.4.
 *
 * The files are open with O_NONBLOCK all the same: without it, submitting to an endpoint that is
 * not enabled would wait.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <libaio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_transfer {
	int fd;
	struct iocb iocb;
	bool busy;   /* the kernel has it */
	bool quiet;  /* nobody hears its bell when it is through: somebody must look */
	bool done;   /* the kernel gave it back, and nobody has looked at the result yet */
	bool stale;  /* nobody wants the result; stays until the transfer has been looked at */
	long result; /* bytes, or -errno */
};

#define USB_TRANSFER_NULL ((struct usb_transfer){ .fd = -1 })

/*
 * Start a read into bytes, or a write, with completions in context and on the eventfd bell. A quiet
 * write is one whose bell nobody listens to: harvesting finds out. It needs one all the same, since
 * FunctionFS rings that of ep0 for a transfer that has none (f_fs.c, ffs_user_copy_worker(): "if
 * (io_data->ffs->ffs_eventfd && !kiocb_has_eventfd)"). bytes of a read belong to the kernel until it
 * is done; those of a write are copied before the call returns. Not while the transfer is busy or
 * done. Fatal: -errno.
 */
int usb_transfer_read(struct usb_transfer *transfer, io_context_t context, int bell, uint8_t *bytes,
	size_t size);
int usb_transfer_write(struct usb_transfer *transfer, io_context_t context, int bell, bool quiet,
	const uint8_t *bytes, size_t size);

/* Whether it is the kernel's, or its result is waiting. */
bool usb_transfer_is_active(const struct usb_transfer *transfer);

/* Cancels what is under way, and marks it as stale: it will be done soon. */
void usb_transfer_abandon(struct usb_transfer *transfer, io_context_t context);

/*
 * Cancels what is under way: its result says whether something was read until then. A read of one
 * packet loses nothing by that.
 */
void usb_transfer_recall(struct usb_transfer *transfer, io_context_t context);

/* Marks as done whatever the kernel has given back. Fatal: -errno. */
int usb_transfer_harvest(io_context_t context);

/*
 * Whether a result means that the host let go of the device, or was never there: nothing to do but
 * to wait for the next enable.
 */
bool usb_transfer_is_lost(long result);

/* Closes the file; may be called twice. */
void usb_transfer_deinit(struct usb_transfer *transfer);
