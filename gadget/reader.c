/*
 * A reader joins a slot and a USB device: what one puts out is what the other takes in. See reader.h.
 *
 * After every event the slot's outputs are carried out and the timer is set to its next deadline.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/watchdog.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"
#include "gadget/identity.h"
#include "gadget/open_calls.h"
#include "gadget/plug_problem.h"
#include "gadget/reader_trace.h"
#include "gadget/usb/usb.h"

/* ms until a device that could not be made, or was taken away, is tried again */
#define PLUG_AGAIN 2000

/*
 * While the slot holds a card: ms between two looks for the driver, and how many in vain it takes to
 * believe that it has gone. A driver that is started anew may need a moment.
 */
#define DRIVER_LOOK 1000
#define DRIVER_LOOKS 2

struct reader {
	uv_loop_t *loop;
	struct usb_maker *maker;
	const struct config_reader *config;
	size_t index;
	const char *guest;
	reader_call call;
	void *owner;

	char host_name[WIRE_NAME_MAX]; /* empty: unplugged */
	uint32_t host_id;
	uint8_t card;                  /* enum wire_card: what the host said of it last */
	uint8_t atr[WIRE_ATR_MAX];
	uint8_t atr_size;
	unsigned int ordinal;
	size_t readers;                /* of this guest, at the time when it was plugged in */
	struct ccid_pin_pad pin_pad;   /* the host's; in the class descriptor */

	struct slot *slot;
	struct usb_device *device;
	int plug_problem;     /* the outcome that was logged last */
	bool gone;            /* the device's UDC was taken away, or it failed: make it anew */
	struct open_calls calls;

	struct call_stats stats;
	uint64_t usb_resets;
	bool configured;      /* the device has been, since it was plugged in */
	struct reader_trace trace;

	unsigned int looks;   /* for a driver that has the device, in vain */

	uv_timer_t deadline;
	uv_timer_t plug;
	uv_timer_t look;
	int handles;
};

static void reader_run(struct reader *reader);

static uint64_t reader_now(const struct reader *reader)
{
	return uv_now(reader->loop);
}

/* For what is too short for the loop's clock. */
static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

/* ---- calls to the host ---- */

/* Makes the slot's call. One that can't be sent ends at once: nothing has reached the card. */
static void reader_make_call(struct reader *reader, const struct slot_call *call)
{
	struct open_call *open = open_calls_place(&reader->calls);
	struct wire_call wire = {
		.reader = reader->host_id,
		.operation = (uint8_t)call->operation,
		.initialization = (uint8_t)call->initialization,
		.protocols = call->protocols,
		.data = call->data,
	};
	uint32_t number = 0;
	int r = 1;

	if (open != NULL)
		r = reader->call(reader->owner, &wire, &number);
	if (r == 0) {
		*open = (struct open_call){
			.number = number,
			.slot_number = call->number,
			.operation = wire.operation,
			.sent = wire.data.size,
			.made_at = now_us(),
		};
		reader_trace_call(&reader->trace, call->operation, number);
		return;
	}
	slot_result(reader->slot, reader_now(reader), &(struct slot_result){
		.number = call->number, .outcome = WIRE_CARD_BUSY });
}

/* Asked only for what doesn't fit into any driver's block: it is a system call. */
static size_t reader_asked(const struct reader *reader, size_t response)
{
	if (reader->device == NULL || reader->gone || CCID_HEADER_SIZE + response <= CCID_BLOCK_MAX)
		return 0;
	return usb_asked(reader->device);
}

bool reader_reply(struct reader *reader, const struct wire_reply *reply)
{
	struct open_call *open = open_calls_find(&reader->calls, reply->number);
	struct slot_result result;

	if (open == NULL)
		return false;
	result = (struct slot_result){
		.number = open->slot_number,
		.outcome = reply->outcome,
		.protocol = reply->protocol,
		.data = reply->data,
		.asked = reader_asked(reader, reply->data.size),
	};
	call_stats_ended(&reader->stats, open->operation, open->sent, reply, now_us() - open->made_at);
	open_calls_end(open);
	if (result.outcome != WIRE_OK)
		log_debug(reader->host_name, "the host answers: %s", wire_outcome_name(result.outcome));
	slot_result(reader->slot, reader_now(reader), &result);
	reader_run(reader);
	return true;
}

/* ---- what the slot puts out ---- */

static void reader_plug_later(struct reader *reader);

/* The device failed in a way that it never should: it is made anew. */
static void reader_check(struct reader *reader, int r)
{
	if (r >= 0)
		return;
	log_error(reader->host_name, "the USB device fails: %s", strerror(-r));
	reader->gone = true;
	reader_plug_later(reader);
}

static void reader_output(struct reader *reader, const struct slot_output *output)
{
	if (output->type == SLOT_OUTPUT_CALL) {
		reader_make_call(reader, &output->call);
		return;
	}
	if (reader->device == NULL || reader->gone)
		return;
	switch (output->type) {
	case SLOT_OUTPUT_SEND:
		reader_trace_in(&reader->trace, output->message);
		reader_check(reader, usb_send(reader->device, output->message,
			output->message.size > CCID_BLOCK_MAX ? output->message.size : 0));
		break;
	case SLOT_OUTPUT_CANCEL_SEND:
		usb_cancel_send(reader->device);
		break;
	case SLOT_OUTPUT_NOTIFY:
		reader_trace_notify(&reader->trace, output->message);
		reader_check(reader, usb_notify(reader->device, output->message.bytes,
			output->message.size));
		break;
	case SLOT_OUTPUT_CALL:
		break;
	}
}

static void reader_deadline(uv_timer_t *timer)
{
	struct reader *reader = timer->data;

	slot_tick(reader->slot, reader_now(reader));
	reader_run(reader);
}

/* A driver that has gone doesn't power its card off: that is up to us. */
static void reader_driver_look(uv_timer_t *timer)
{
	struct reader *reader = timer->data;

	reader->looks = usb_is_claimed(reader->device) ? 0 : reader->looks + 1;
	if (reader->looks < DRIVER_LOOKS)
		return;
	log_info(reader->host_name, "its driver has gone, with the card powered; the card is let go");
	slot_deserted(reader->slot);
	reader_run(reader);
}

static void reader_look_for_driver(struct reader *reader)
{
	bool wanted = slot_holds_card(reader->slot) && reader->device != NULL && !reader->gone;

	if (!wanted) {
		(void)uv_timer_stop(&reader->look);
		reader->looks = 0;
	} else if (!uv_is_active((uv_handle_t *)&reader->look)) {
		(void)uv_timer_start(&reader->look, reader_driver_look, DRIVER_LOOK, DRIVER_LOOK);
	}
}

static void reader_run(struct reader *reader)
{
	struct slot_output output;
	uint64_t deadline, now = reader_now(reader);

	while (slot_pop_output(reader->slot, &output))
		reader_output(reader, &output);
	deadline = slot_deadline(reader->slot);
	if (deadline == SLOT_NEVER)
		(void)uv_timer_stop(&reader->deadline);
	else
		(void)uv_timer_start(&reader->deadline, reader_deadline,
			deadline > now ? deadline - now : 0, 0);
	reader_look_for_driver(reader);
}

bool reader_is_late(const struct reader *reader)
{
	uint64_t now = reader_now(reader);

	return now > WATCHDOG_GRACE && now - WATCHDOG_GRACE > slot_deadline(reader->slot);
}

/* ---- what the USB device says ---- */

static void on_enabled(void *owner, size_t packet_size)
{
	struct reader *reader = owner;

	log_debug(reader->host_name, "a driver may use the device; packets of %zu bytes",
		packet_size);
	/* The first time it is the kernel that has found the device. */
	if (reader->configured)
		reader->usb_resets++;
	reader->configured = true;
	slot_enabled(reader->slot, reader_now(reader), packet_size);
	reader_run(reader);
}

static void on_disabled(void *owner)
{
	struct reader *reader = owner;

	slot_disabled(reader->slot, reader_now(reader));
	reader_run(reader);
}

static void on_message(void *owner, struct payload_view message)
{
	struct reader *reader = owner;

	reader->looks = 0;
	reader_trace_out(&reader->trace, message);
	slot_message(reader->slot, reader_now(reader), message);
	reader_run(reader);
	reader_trace_out_done(&reader->trace);
}

static void on_sent(void *owner)
{
	struct reader *reader = owner;

	slot_sent(reader->slot);
	reader_run(reader);
}

static int on_control(void *owner, const struct usb_request *request, uint8_t *answer)
{
	struct reader *reader = owner;
	int r;

	reader_trace_request(&reader->trace, request);
	r = slot_control(reader->slot, reader_now(reader), request->bmRequestType,
		request->bRequest, request->wValue, answer);
	reader_run(reader);
	return r;
}

static void on_gone(void *owner)
{
	struct reader *reader = owner;

	log_error(reader->host_name, "the USB controller was taken away; waiting for another");
	reader->gone = true;
	reader_plug_later(reader);
}

static const struct usb_callbacks callbacks = {
	.enabled = on_enabled,
	.disabled = on_disabled,
	.message = on_message,
	.sent = on_sent,
	.control = on_control,
	.gone = on_gone,
};

static_assert(SLOT_CONTROL_MAX <= USB_CONTROL_MAX, "a slot's answers fit");

/* ---- plugging ---- */

static void reader_close_device(struct reader *reader)
{
	reader->device = usb_close(reader->device);
	reader->gone = false;
	reader->configured = false;
	slot_disabled(reader->slot, reader_now(reader));
	reader_run(reader);
}

static void reader_gadget_name(const struct reader *reader, char name[static USB_NAME_MAX + 1])
{
	(void)snprintf(name, USB_NAME_MAX + 1, READER_GADGETS "%zu", reader->index);
}

static struct usb_settings reader_settings(const struct reader *reader)
{
	struct usb_settings settings = {
		.identity = identity_make(reader->config, reader->guest, reader->host_name,
			reader->ordinal),
		.bInterfaceClass = CCID_INTERFACE_CLASS,
		.bInterfaceSubClass = CCID_INTERFACE_SUBCLASS,
		.bInterfaceProtocol = CCID_INTERFACE_PROTOCOL,
		.class_descriptor_size = CCID_DESCRIPTOR_SIZE,
		.interrupt = reader->config->interrupt,
		.message_max = CCID_HEADER_SIZE + CCID_DATA_MAX,
		.missing = ccid_message_missing,
	};

	ccid_descriptor(settings.class_descriptor, &reader->pin_pad);
	reader_gadget_name(reader, settings.name);
	(void)snprintf(settings.udc, sizeof(settings.udc), "%s", reader->config->udc);
	settings.preferred_udc = (unsigned int)reader->index;
	settings.reserved_udcs = reader->config->reserved_udcs;
	return settings;
}

/* The reason why there is no device, unless it is still the same. */
static void reader_say_problem(const struct reader *reader, int r)
{
	char text[PLUG_PROBLEM_MAX];

	if (r == reader->plug_problem || r == 0)
		return;
	plug_problem_text(text, sizeof(text), r, reader->config->udc, reader->readers, usb_ports());
	log_error(reader->host_name, "%s", text);
}

static void reader_open_device(struct reader *reader)
{
	struct usb_settings settings = reader_settings(reader);
	int r = usb_open(&reader->device, reader->loop, reader->maker, &settings, &callbacks,
		reader);

	if (r == 0)
		reader_trace_device(&reader->trace, &settings);
	if (r == 0)
		log_info(reader->host_name, "plugged in as USB device %04x:%04x, serial number %s",
			settings.identity.idVendor, settings.identity.idProduct,
			settings.identity.serial);
	reader_say_problem(reader, r);
	reader->plug_problem = r;
	if (r != 0)
		reader_plug_later(reader);
}

static void reader_plug_again(uv_timer_t *timer)
{
	struct reader *reader = timer->data;

	if (reader->gone) {
		reader_close_device(reader);
		reader_plug_later(reader);
		return;
	}
	if (reader->device == NULL && reader_is_plugged(reader))
		reader_open_device(reader);
}

/* A device that is gone is closed at once, but not from within a call to it. */
static void reader_plug_later(struct reader *reader)
{
	(void)uv_timer_start(&reader->plug, reader_plug_again, reader->gone ? 0 : PLUG_AGAIN, 0);
}

static struct ccid_pin_pad pin_pad_of(const struct wire_reader *host)
{
	return (struct ccid_pin_pad){
		.bPINSupport = host->pin_support & (CCID_PIN_VERIFY | CCID_PIN_MODIFY),
		.wLcdLayout = (uint16_t)(host->lcd_lines << 8 | host->lcd_characters),
	};
}

static void reader_take_pin_pad(struct reader *reader, const struct wire_reader *host)
{
	reader->pin_pad = pin_pad_of(host);
	slot_set_pin_support(reader->slot, reader->pin_pad.bPINSupport);
}

/* A descriptor can't change: a device whose host's reader has changed is plugged in anew. */
static void reader_replug(struct reader *reader, const struct wire_reader *host)
{
	struct ccid_pin_pad now = pin_pad_of(host);

	if (now.bPINSupport == reader->pin_pad.bPINSupport &&
		now.wLcdLayout == reader->pin_pad.wLcdLayout)
		return;
	log_info(reader->host_name, "the PIN pad of the host's reader is not what it was");
	reader_close_device(reader);
	reader_take_pin_pad(reader, host);
	reader_open_device(reader);
}

static_assert(CCID_PIN_VERIFY == WIRE_PIN_VERIFY && CCID_PIN_MODIFY == WIRE_PIN_MODIFY,
	"pin_support has the bits of bPINSupport");

void reader_plug(struct reader *reader, const struct wire_reader *host, unsigned int ordinal,
	size_t readers)
{
	reader->ordinal = ordinal;
	reader->readers = readers;
	reader_take_pin_pad(reader, host);
	reader_update(reader, host);
	reader_open_device(reader);
}

void reader_unplug(struct reader *reader)
{
	if (!reader_is_plugged(reader))
		return;
	log_info(reader->host_name, "unplugged");
	reader_empty(reader);
	reader_close_device(reader);
	(void)uv_timer_stop(&reader->plug);
	reader->plug_problem = 0;
	reader->host_name[0] = '\0';
}

void reader_update(struct reader *reader, const struct wire_reader *host)
{
	(void)snprintf(reader->host_name, sizeof(reader->host_name), "%s", host->name);
	reader->host_id = host->id;
	reader->card = host->card;
	reader->atr_size = host->atr_size;
	memcpy(reader->atr, host->atr, sizeof(reader->atr));
	reader_replug(reader, host);
	slot_set_card(reader->slot, reader_now(reader), (struct slot_card){
		.present = host->card != WIRE_CARD_ABSENT, .insertion = host->insertion });
	reader_run(reader);
}

void reader_empty(struct reader *reader)
{
	reader->card = WIRE_CARD_ABSENT;
	reader->atr_size = 0;
	slot_set_card(reader->slot, reader_now(reader), (struct slot_card){ .present = false });
	reader_run(reader);
}

void reader_tell(const struct reader *reader, struct tracer *tracer)
{
	struct usb_settings settings;

	if (reader->device == NULL)
		return;
	settings = reader_settings(reader);
	reader_trace_tell(&reader->trace, tracer, &settings);
}

bool reader_is_plugged(const struct reader *reader)
{
	return reader->host_name[0] != '\0';
}

bool reader_has_settled(const struct reader *reader)
{
	return reader->configured || reader->plug_problem != 0 || !reader_is_plugged(reader);
}

void reader_look(const struct reader *reader, struct reader_look *look)
{
	*look = READER_LOOK_NULL;
	if (!reader_is_plugged(reader))
		return;
	memcpy(look->host_name, reader->host_name, sizeof(look->host_name));
	look->identity = identity_make(reader->config, reader->guest, reader->host_name,
		reader->ordinal);
	reader_gadget_name(reader, look->gadget);
	if (reader->device != NULL)
		(void)snprintf(look->udc, sizeof(look->udc), "%s", usb_udc(reader->device));
	look->card = reader->card;
	look->powered = slot_icc_status(reader->slot) == CCID_ICC_ACTIVE;
	memcpy(look->atr, reader->atr, sizeof(look->atr));
	look->atr_size = reader->atr_size;
}

bool reader_has_driver(const struct reader *reader)
{
	return reader->device != NULL && !reader->gone && usb_is_claimed(reader->device);
}

struct reader_counters reader_counters(const struct reader *reader)
{
	return (struct reader_counters){
		.calls = &reader->stats,
		.time_extensions = slot_extensions(reader->slot),
		.usb_resets = reader->usb_resets,
	};
}

/* ---- life ---- */

int reader_new(struct reader **readerp, uv_loop_t *loop, struct usb_maker *maker,
	const struct config_reader *config, size_t index, const char *guest, struct tracers *tracers,
	reader_call call, void *owner)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int r = -ENOMEM;

	*readerp = NULL;
	if (reader == NULL)
		return r;
	reader->loop = loop;
	reader->maker = maker;
	reader->config = config;
	reader->index = index;
	reader->guest = guest;
	reader_trace_init(&reader->trace, tracers, index);
	reader->call = call;
	reader->owner = owner;
	r = slot_new(&reader->slot);
	if (r != 0) {
		free(reader);
		return r;
	}
	(void)uv_timer_init(loop, &reader->deadline);
	(void)uv_timer_init(loop, &reader->plug);
	(void)uv_timer_init(loop, &reader->look);
	reader->deadline.data = reader;
	reader->plug.data = reader;
	reader->look.data = reader;
	reader->handles = 3;
	*readerp = reader;
	return 0;
}

static void reader_closed(uv_handle_t *handle)
{
	struct reader *reader = handle->data;

	if (--reader->handles == 0) {
		reader->slot = slot_free(reader->slot);
		free(reader);
	}
}

struct reader *reader_free(struct reader *reader)
{
	if (reader != NULL) {
		reader->device = usb_close(reader->device);
		uv_close((uv_handle_t *)&reader->deadline, reader_closed);
		uv_close((uv_handle_t *)&reader->plug, reader_closed);
		uv_close((uv_handle_t *)&reader->look, reader_closed);
	}
	return NULL;
}
