/*
 * One asynchronous read or write on an endpoint file.
 *
 * FunctionFS endpoints can't be polled, and a plain read or write waits in the kernel whatever
 * O_NONBLOCK says. Kernel AIO with an eventfd is the one model that can be cancelled and that dies
 * with its process; io_uring keeps the gadget bound after a kill -9.
 *
 * Nor is there one that lets the daemon do something else meanwhile and is clearly cheaper. The bare reader of
 * tests/bench took so many ms in an emulated guest, at the median of 320 answers without data, of 80 with 65,000
 * bytes and of 80 to commands of 4,096: one thread with plain calls 1.21, 2.40, 1.21; AIO 1.27, 2.45, 1.69; a
 * thread for each direction 1.25, 2.52, 1.42; a thread that reads, and AIO that writes, 1.18, 2.47, 1.51. The
 * long command is two reads, and between them AIO is slower than a thread; nothing else is beyond the noise.
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
