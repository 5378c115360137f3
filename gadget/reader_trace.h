/*
 * A reader's part in the traces of its daemon: what its device says and hears, with the numbers of the
 * calls that it makes of it.
 *
 * A command is told when it is known which call it makes: when that is made, or when it was answered
 * without one. An answer has the number of the call that it is the answer to, or a time extension of;
 * each part of a long one has, and so have the commands that ask for the next part. Of a long command,
 * the part that completes it has one.
 *
 * While nobody traces, each of these costs a look at a pointer, or at the header of a command.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "gadget/usb/usb.h"
#include "relay/wire.h"
#include "trace/tracers.h"

struct reader_trace {
	struct tracers *tracers;
	uint8_t address;
	bool open;                   /* a command is there that has not been told */
	struct payload_view command; /* that one */
	uint64_t time;               /* when it came */
	uint8_t bMessageType;        /* of the last command */
	uint8_t bSeq;
	uint32_t call;               /* that it made, or belongs to; 0: none */
};

/* index: the reader's place, which its address is made of. */
void reader_trace_init(struct reader_trace *trace, struct tracers *tracers, size_t index);

/* The device is there from now on. */
void reader_trace_device(struct reader_trace *trace, const struct usb_settings *settings);

/* It was there when this tracer came. */
void reader_trace_tell(const struct reader_trace *trace, struct tracer *tracer,
	const struct usb_settings *settings);

/* A message from bulk OUT; it must stay valid until reader_trace_out_done(). */
void reader_trace_out(struct reader_trace *trace, struct payload_view message);
void reader_trace_out_done(struct reader_trace *trace);

/* A call was made. */
void reader_trace_call(struct reader_trace *trace, enum wire_operation operation, uint32_t number);

/* A message for bulk IN, and one for interrupt IN. */
void reader_trace_in(struct reader_trace *trace, struct payload_view message);
void reader_trace_notify(struct reader_trace *trace, struct payload_view message);

/* A request on the control pipe. */
void reader_trace_request(struct reader_trace *trace, const struct usb_request *request);
