/*
 * What usb-echo and usb-echo-host agree on. A message has CCID's shape (CCID 1.1, 6.1): a type, the
 * length of what follows the header as le32, and a header of ten bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#define ECHO_VENDOR 0x1209 /* pid.codes; 0x0001 is free for tests */
#define ECHO_PRODUCT 0x0001

#define ECHO_HEADER 10
#define ECHO_MESSAGE_MAX 65554
#define ECHO_NOTIFICATION 2

enum echo_type {
	ECHO_PLAIN = 0x6F,  /* send it back */
	ECHO_CANCEL = 0x70, /* send something else, take that back, then send it back */
	ECHO_NEEDS = 0x71,  /* send it back to a transfer for as many bytes, and to no other */
};

enum echo_request {
	ECHO_REQUEST_OK = 0x01,    /* acknowledged */
	ECHO_REQUEST_DATA = 0x03,  /* answered with ECHO_DATA */
	ECHO_REQUEST_SLOW = 0x10,  /* answered with ECHO_DATA after ECHO_SLOW seconds */
	ECHO_REQUEST_STALL = 0x7F, /* stalled, as everything else */
};

#define ECHO_DATA "\x01\x02\x03\x04"
#define ECHO_DATA_SIZE 4
#define ECHO_SLOW 2
