/*
 * The ways in which a program can use FunctionFS endpoints, which can't be polled: what each costs is
 * why ccid-gadget uses the one that it does (gadget/usb/transfer.h).
 *
 *     plain    one thread reads a command and writes the answer. Nothing is cheaper; but while it waits
 *              for either, it can't do anything else, and not even be ended in good order
 *     threads  one thread reads, one writes, and one that waits in poll() for both, as it would for
 *              everything else, makes the answers
 *     aio      one thread, kernel AIO, and an eventfd in poll(). The write rings no bell that anybody
 *              listens to, as that of ccid-gadget
 *     mixed    a thread reads, and kernel AIO writes
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

struct endpoint_files {
	int out, in;
};

/*
 * Serve for ever: whatever command comes is answered from memory. They return only if the kernel
 * refuses what they need, with errno set.
 */
void endpoint_serve_plain(const struct endpoint_files *files);
void endpoint_serve_threads(const struct endpoint_files *files);
void endpoint_serve_aio(const struct endpoint_files *files);
void endpoint_serve_mixed(const struct endpoint_files *files);
