/*
 * usb-echo: a device of gadget/usb that sends back each message that it gets, and announces each
 * with a notification. Says on stdout what happens to it, one word a line, so that a script can
 * wait for it.
 *
 *     usb-echo [-n NAME] [-u UDC] [-b]       -b: bulk endpoints only
 *
 * Ends with status 0 after SIGTERM, 1 if the device can't be made, 3 if it was taken away.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/log.h"
#include "gadget/usb/maker.h"
#include "gadget/usb/privileges.h"
#include "gadget/usb/usb.h"
#include "tests/usb/echo.h"

#define USER 65534 /* nobody, as which it runs once it has a maker */

struct echo {
	struct usb_device *device;
	uv_loop_t loop;
	uv_signal_t terminate;
	int status;
};

static void echo_say(const char *word)
{
	printf("%s\n", word);
	(void)fflush(stdout);
}

static void echo_stop(struct echo *echo, int status)
{
	if (uv_is_closing((uv_handle_t *)&echo->terminate))
		return;
	echo->status = status;
	echo->device = usb_close(echo->device);
	uv_close((uv_handle_t *)&echo->terminate, NULL);
}

/* A result of gadget/usb in words. */
static const char *echo_text(int r)
{
	return r > 0 ? usb_outcome_text((enum usb_outcome)r) : strerror(-r);
}

static void echo_check(struct echo *echo, int r)
{
	if (r == 0)
		return;
	log_error("echo", "sending fails: %s", echo_text(r));
	echo_stop(echo, 2);
}

static void echo_notify(struct echo *echo)
{
	static const uint8_t slot_change[ECHO_NOTIFICATION] = { 0x50, 0x03 };

	(void)usb_notify(echo->device, slot_change, sizeof(slot_change));
}

static void echo_enabled(void *owner, size_t packet_size)
{
	(void)owner;
	printf("enabled %zu\n", packet_size);
	(void)fflush(stdout);
}

static void echo_disabled(void *owner)
{
	(void)owner;
	echo_say("disabled");
}

static void echo_message(void *owner, struct payload_view message)
{
	struct echo *echo = owner;
	uint8_t other[200] = { 0 };

	if (message.size > 0 && message.bytes[0] == ECHO_CANCEL) {
		echo_check(echo, usb_send(echo->device,
			(struct payload_view){ .bytes = other, .size = sizeof(other) }, 0));
		usb_cancel_send(echo->device);
	} else {
		usb_cancel_send(echo->device); /* as CCID does it for a new command */
	}
	echo_check(echo, usb_send(echo->device, message,
		message.size > 0 && message.bytes[0] == ECHO_NEEDS ? message.size : 0));
	if (echo->device != NULL)
		echo_notify(echo);
}

static void echo_sent(void *owner)
{
	(void)owner;
}

static int echo_control(void *owner, const struct usb_request *request, uint8_t *answer)
{
	(void)owner;
	switch (request->bRequest) {
	case ECHO_REQUEST_OK:
		return 0;
	case ECHO_REQUEST_SLOW:
		(void)sleep(ECHO_SLOW);
		/* fall through */
	case ECHO_REQUEST_DATA:
		memcpy(answer, ECHO_DATA, ECHO_DATA_SIZE);
		return ECHO_DATA_SIZE;
	default:
		return -1;
	}
}

static void echo_gone(void *owner)
{
	echo_say("gone");
	echo_stop(owner, 3);
}

static void echo_terminate(uv_signal_t *handle, int signal_number)
{
	(void)signal_number;
	echo_stop(handle->data, 0);
}

static size_t echo_missing(const uint8_t *bytes, size_t size)
{
	struct cursor_in in = cursor_in(bytes, size);
	uint32_t dwLength;

	(void)in_u8(&in);
	dwLength = in_le32(&in);
	if (!in_ok(&in) || size - ECHO_HEADER >= dwLength)
		return 0;
	return dwLength - (size - ECHO_HEADER);
}

static struct usb_settings echo_settings(void)
{
	struct usb_settings settings = {
		.name = "usb-echo",
		.identity = {
			.idVendor = ECHO_VENDOR,
			.idProduct = ECHO_PRODUCT,
			.bcdDevice = 0x0100,
			.manufacturer = "ccid-relay",
			.product = "echo",
			.serial = "0001",
			.interface = "echo of messages",
		},
		.bInterfaceClass = 0x0B,
		.class_descriptor = { 54, 0x21, 0x10, 0x01 },
		.class_descriptor_size = 54,
		.interrupt = true,
		.message_max = ECHO_MESSAGE_MAX,
		.missing = echo_missing,
	};

	return settings;
}

static int echo_run(struct echo *echo, struct usb_maker *maker, const struct usb_settings *settings)
{
	static const struct usb_callbacks callbacks = {
		.enabled = echo_enabled,
		.disabled = echo_disabled,
		.message = echo_message,
		.sent = echo_sent,
		.control = echo_control,
		.gone = echo_gone,
	};
	int r;

	if (uv_loop_init(&echo->loop) != 0 || uv_signal_init(&echo->loop, &echo->terminate) != 0)
		return 1;
	echo->terminate.data = echo;
	(void)uv_signal_start(&echo->terminate, echo_terminate, SIGTERM);
	r = usb_open(&echo->device, &echo->loop, maker, settings, &callbacks, echo);
	if (r != 0) {
		log_error("echo", "%s", echo_text(r));
		echo_stop(echo, 1);
	} else {
		echo_say("open");
	}
	(void)uv_run(&echo->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&echo->loop) == 0 ? echo->status : 4;
}

int main(int argc, char **argv)
{
	struct usb_settings settings = echo_settings();
	const struct usb_maker_rules rules = { .prefix = "", .user = USER, .group = USER };
	struct echo echo = { .status = 1 };
	struct usb_maker *maker = NULL;
	int option, r;

	log_init("usb-echo", LOG_LEVEL_DEBUG);
	while ((option = getopt(argc, argv, "n:u:b")) != -1) {
		switch (option) {
		case 'n':
			(void)snprintf(settings.name, sizeof(settings.name), "%s", optarg);
			break;
		case 'u':
			(void)snprintf(settings.udc, sizeof(settings.udc), "%s", optarg);
			break;
		case 'b':
			settings.interrupt = false;
			break;
		default:
			return 1;
		}
	}
	r = usb_maker_start(&maker, &rules);
	if (r == 0)
		r = privileges_drop(USER, USER);
	if (r == 0)
		r = echo_run(&echo, maker, &settings);
	maker = usb_maker_free(maker);
	return r < 0 ? 1 : r;
}
