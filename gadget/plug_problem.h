/*
 * Why a reader's USB device is not there, as a line for whoever looks into the log: what is missing,
 * and what to type.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#define PLUG_PROBLEM_MAX 320 /* bytes of the longest line, with its end */

/*
 * Writes the line for outcome, a negative errno or an enum usb_outcome, into text, which has room for
 * size bytes. udc: the port that the configuration asks for; empty: any. readers: how many of them
 * this guest has, ports: how many ports.
 */
void plug_problem_text(char *text, size_t size, int outcome, const char *udc, size_t readers,
	size_t ports);
