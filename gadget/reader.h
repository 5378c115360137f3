/*
 * One reader of the guest: a CCID slot, the USB device that drivers see, and the host's reader that it
 * stands for.
 *
 *     unplugged   the host shows no reader that the pattern matches: there is no device
 *     plugged     the device exists; it stays while the bridge or the host's pcscd is away, with an
 *                 empty slot, and goes when the host says that its reader is gone
 *
 * While a card is in use it looks now and then whether any driver has the device still: one that was
 * killed tells nobody, and a card is not left to the next with its PIN state.
 *
 * It holds no policy and knows no session: calls go out through a function that it is given.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "gadget/config.h"
#include "relay/call_stats.h"
#include "relay/wire.h"

struct reader;
struct usb_maker;
struct tracer;
struct tracers;

#define READER_GADGETS "ccid-gadget" /* what the names of all gadgets begin with */

/* Makes a call to the host, as connection_call() does. */
typedef int (*reader_call)(void *owner, const struct wire_call *call, uint32_t *number);

/*
 * Makes an unplugged reader. index: its place, which its gadget is named after.
 * config, guest, maker and tracers must outlive it. Fatal: -ENOMEM.
 */
int reader_new(struct reader **reader, uv_loop_t *loop, struct usb_maker *maker,
	const struct config_reader *config, size_t index, const char *guest, struct tracers *tracers,
	reader_call call, void *owner);

/* Unplugs and frees, the latter once the loop has run; returns NULL. May be called with NULL. */
struct reader *reader_free(struct reader *reader);

/* Whether it stands for a reader of the host. */
bool reader_is_plugged(const struct reader *reader);

/* Whether the kernel has found its device, or there can be none now, or it is unplugged. */
bool reader_has_settled(const struct reader *reader);

/*
 * Stands for the host's reader from now on: plugs the device in. ordinal tells readers apart whose names
 * are alike, see identity.h. readers: how many of them this guest has now, for what is said if there
 * are not enough ports.
 */
void reader_plug(struct reader *reader, const struct wire_reader *host, unsigned int ordinal,
	size_t readers);

/* What the host says of that reader now. It may have another name, see pattern_names_alike(). */
void reader_update(struct reader *reader, const struct wire_reader *host);

/* The bridge, or the host's pcscd, is away: the slot is empty until reader_update(). */
void reader_empty(struct reader *reader);

/* The host's reader is gone: unplugs the device. */
void reader_unplug(struct reader *reader);

/* What there is to see of a reader, for a display. */
struct reader_look {
	char host_name[WIRE_NAME_MAX];  /* empty: unplugged */
	struct usb_identity identity;   /* of the device; nothing while unplugged, nor is gadget */
	char gadget[USB_NAME_MAX + 1];  /* its name in configfs */
	char udc[64];                   /* empty: there is no port for it */
	uint8_t card;                   /* enum wire_card, as the host said */
	bool powered;                   /* by a driver */
	uint8_t atr[WIRE_ATR_MAX];
	size_t atr_size;
};

#define READER_LOOK_NULL ((struct reader_look){ .host_name = "" })

void reader_look(const struct reader *reader, struct reader_look *look);

/* Whether a driver has the device, as far as that can be known: asks the kernel. */
bool reader_has_driver(const struct reader *reader);

/* What it has done since the daemon's start, whatever readers of the host it has stood for. */
struct reader_counters {
	const struct call_stats *calls; /* the reader's */
	uint64_t time_extensions;
	uint64_t usb_resets;            /* the device was configured again: reset, or suspended and reset */
};

struct reader_counters reader_counters(const struct reader *reader);

/* Tells a trace that has begun of the device, if there is one. */
void reader_tell(const struct reader *reader, struct tracer *tracer);

/* Whether something that was due a while ago has not been done: the loop turns in vain. */
bool reader_is_late(const struct reader *reader);

/* A call has ended. Returns whether it was this reader's. */
bool reader_reply(struct reader *reader, const struct wire_reply *reply);
