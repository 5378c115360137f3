/*
 * The bridge's side of a trace: the SCard calls that guests make, and how they end.
 *
 * Wireshark knows no SCard calls, but it knows those of a CCID driver, of which there is one for each:
 * SCardConnect is written as IccPowerOn, SCardDisconnect as IccPowerOff, SCardTransmit as XfrBlock,
 * SCardControl as Secure or Escape, a cancel as Abort; each is one message, however long, to a device
 * that stands for the host's reader. So the same words and filters find a call in the guest's trace and
 * in this one, the same code cuts the data out, and both can be merged into one. What CCID has no field
 * for is in the comment: the number of the call, its guest, and how it failed.
 *
 * While nobody traces, this costs a look at a pointer.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/wire.h"
#include "trace/tracers.h"

#define CALL_TRACE_ADDRESSES 128 /* of devices on one USB bus */

/* Of all guests. */
struct call_traces {
	struct tracers tracers;
	bool told[CALL_TRACE_ADDRESSES]; /* every tracer has heard of this device */
};

#define CALL_TRACES(version) ((struct call_traces){ .tracers = { .program = "ccid-bridge " version, \
	.interface = "SCard calls, as CCID", .bus = 2 } })

/* Of one guest. */
struct call_trace {
	struct call_traces *traces;
	const char *guest; /* its name; borrowed */
	struct {
		uint32_t number; /* 0: free */
		uint32_t reader;
		uint8_t operation;
	} open[WIRE_OPEN_MAX];
};

/* A tracer has begun, which has heard of nothing. */
void call_traces_anew(struct call_traces *traces);

void call_trace_init(struct call_trace *trace, struct call_traces *traces, const char *guest);

/* A call begins; reader is the name, or NULL if the guest has no such reader. */
void call_trace_begin(struct call_trace *trace, const struct wire_call *call, const char *reader);

/* A call has ended. One that began before the trace did is not told. */
void call_trace_end(struct call_trace *trace, const struct wire_reply *reply);

/* The session is over, and its numbers with it. */
void call_trace_forget(struct call_trace *trace);
