/*
 * The maker's loop. See maker.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/maker_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/log.h"
#include "gadget/usb/admission.h"
#include "gadget/usb/descriptors.h"
#include "gadget/usb/fd_message.h"
#include "gadget/usb/gadget.h"
#include "gadget/usb/lock.h"
#include "gadget/usb/maker_record.h"
#include "gadget/usb/mount.h"
#include "gadget/usb/preflight.h"
#include "gadget/usb/privileges.h"

#define MADE_MAX 32 /* dummy_hcd makes that many controllers at most */
#define PROCESS_NAME "ccid-gadget-usb"

struct made {
	struct usb_settings settings; /* the name is empty where there is none */
	struct usb_gadget gadget;
	int lock;
};

struct maker {
	int socket;
	const struct usb_maker_rules *rules;
	struct made made[MADE_MAX];
};

/* ---- one gadget ---- */

static struct made *maker_find(struct maker *maker, const char *name)
{
	for (size_t i = 0; i < MADE_MAX; i++) {
		if (strcmp(maker->made[i].settings.name, name) == 0)
			return &maker->made[i];
	}
	return NULL;
}

/* Writes one blob to ep0. */
static int write_blob(int ep0, const struct cursor_out *blob)
{
	ssize_t n;

	if (!out_ok(blob))
		return -EINVAL; /* a class descriptor or a name that is too long */
	n = write(ep0, blob->start, blob->size);
	if (n < 0)
		return error_from_errno();
	return (size_t)n == blob->size ? 0 : -EIO;
}

/* Describes the interface; the endpoints' files appear by that. */
static int describe(int ep0, const struct usb_settings *settings, int bell)
{
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct cursor_out descriptors = cursor_out(bytes, sizeof(bytes));
	uint8_t names[USB_DESCRIPTORS_MAX];
	struct cursor_out strings = cursor_out(names, sizeof(names));
	int r;

	usb_descriptors_write(&descriptors, settings, bell);
	usb_strings_write(&strings, settings);
	r = write_blob(ep0, &descriptors);
	return r == 0 ? write_blob(ep0, &strings) : r;
}

/* Opens one of the files, in the order in which they are passed on. */
static int open_file(int mount, const char *file, int flags, int *files, size_t *count)
{
	int fd = openat(mount, file, O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		return error_from_errno();
	files[(*count)++] = fd;
	return 0;
}

static int make_files(const struct usb_settings *settings, int bell, int *files, size_t *count)
{
	int mount = -1;
	int r = usb_mount(settings->name, &mount);

	if (r != 0)
		return r == USB_MOUNT_DENIED ? USB_NOT_ROOT : r;
	r = open_file(mount, "ep0", 0, files, count);
	if (r == 0)
		r = describe(files[0], settings, bell);
	/* Named in the order of their descriptors. */
	if (r == 0)
		r = open_file(mount, "ep1", O_NONBLOCK, files, count);
	if (r == 0)
		r = open_file(mount, "ep2", O_NONBLOCK, files, count);
	if (r == 0 && settings->interrupt)
		r = open_file(mount, "ep3", O_NONBLOCK, files, count);
	(void)close(mount); /* the open files keep it */
	return r;
}

/* Whatever there is of it. */
static void made_remove(struct made *made)
{
	usb_gadget_unbind(&made->gadget);
	usb_gadget_deinit(&made->gadget);
	if (made->lock >= 0)
		(void)close(made->lock);
	*made = (struct made){ .gadget = USB_GADGET_NULL, .lock = -1 };
}

static int made_lock(struct made *made)
{
	int r = usb_lock_take(made->settings.name, &made->lock);

	return r == USB_LOCK_HELD ? USB_NAME_TAKEN : r;
}

static int made_make(struct made *made, const struct usb_settings *settings, int bell, int *files,
	size_t *count)
{
	int r = usb_preflight();

	made->settings = *settings;
	if (r == 0)
		r = made_lock(made);
	if (r == 0)
		r = usb_gadget_init(&made->gadget, settings);
	if (r == 0)
		r = make_files(settings, bell, files, count);
	return r;
}

/* ---- requests ---- */

static int maker_make(struct maker *maker, const struct usb_settings *settings, int bell, int *files,
	size_t *count)
{
	const char *prefix = maker->rules->prefix;
	struct made *made;
	int r;

	if (strncmp(settings->name, prefix, strlen(prefix)) != 0 || bell < 0)
		return -EPERM;
	if (maker_find(maker, settings->name) != NULL)
		return USB_NAME_TAKEN;
	made = maker_find(maker, "");
	if (made == NULL)
		return -EMFILE;
	r = made_make(made, settings, bell, files, count);
	if (r == 0)
		return 0;
	while (*count > 0)
		(void)close(files[--*count]);
	made_remove(made);
	return r;
}

static int maker_bind(struct maker *maker, const char *name, char *udc)
{
	struct made *made = maker_find(maker, name);
	int r = -ENOENT;

	if (made != NULL)
		r = usb_gadget_bind(&made->gadget, &made->settings);
	if (r == 0)
		memcpy(udc, made->gadget.udc, sizeof(made->gadget.udc));
	return r;
}

static void maker_tell(const struct usb_maker_request *request, int result)
{
	static const char *const steps[] = {
		[USB_MAKER_MAKE] = "make",
		[USB_MAKER_BIND] = "plug in",
		[USB_MAKER_UNBIND] = "unplug",
		[USB_MAKER_REMOVE] = "remove",
	};

	log_debug(request->settings.name, "asked to %s it: %s", steps[request->type], result == 0 ? "done"
		: result > 0 ? usb_outcome_text((enum usb_outcome)result) : strerror(-result));
}

/* Does what is asked for. files are what goes with the answer. */
static void maker_obey(struct maker *maker, const struct usb_maker_request *request, int bell,
	struct usb_maker_answer *answer, int *files, size_t *count)
{
	struct made *made = maker_find(maker, request->settings.name);

	switch (request->type) {
	case USB_MAKER_MAKE:
		answer->result = maker_make(maker, &request->settings, bell, files, count);
		break;
	case USB_MAKER_BIND:
		answer->result = maker_bind(maker, request->settings.name, answer->udc);
		break;
	case USB_MAKER_UNBIND:
		if (made != NULL)
			usb_gadget_unbind(&made->gadget);
		break;
	case USB_MAKER_REMOVE:
		if (made != NULL)
			made_remove(made);
		break;
	}
	maker_tell(request, answer->result);
}

/* One request. Returns 0, or 1 when the daemon has ended. Fatal: -errno; who asks so has a defect. */
static int maker_serve(struct maker *maker)
{
	uint8_t bytes[USB_MAKER_REQUEST_SIZE], answered[USB_MAKER_ANSWER_SIZE];
	struct usb_maker_answer answer = { .result = 0 };
	struct usb_maker_request request;
	int bells[FD_MESSAGE_MAX], files[FD_MESSAGE_MAX];
	size_t bell_count, count = 0;
	int r = fd_message_receive(maker->socket, bytes, sizeof(bytes), bells, &bell_count);

	if (r <= 0)
		return r < 0 ? r : 1;
	if (usb_maker_request_decode((struct payload_view){ .bytes = bytes, .size = (size_t)r },
			&request) != 0 || bell_count > 1)
		r = -EPROTO;
	else
		r = 0;
	if (r == 0) {
		maker_obey(maker, &request, bell_count == 1 ? bells[0] : -1, &answer, files, &count);
		usb_maker_answer_encode(&answer, answered);
		r = fd_message_send(maker->socket, answered, sizeof(answered), files, count);
	}
	/* Whoever closes the last of a gadget's files unbinds it: that is to be the daemon. */
	while (count > 0)
		(void)close(files[--count]);
	while (bell_count > 0)
		(void)close(bells[--bell_count]);
	return r;
}

/* ---- life ---- */

static int maker_loop(struct maker *maker, struct usb_admission *admission)
{
	struct pollfd fds[] = {
		{ .fd = maker->socket, .events = POLLIN },
		{ .fd = usb_admission_fd(admission), .events = POLLIN },
	};
	int r = 0;

	while (r == 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_from_errno();
		if (fds[1].revents != 0)
			usb_admission_look(admission);
		if (fds[0].revents != 0)
			r = maker_serve(maker);
	}
	return r;
}

/*
 * CAP_SYS_ADMIN mounts, CAP_CHOWN hands the socket over; configfs belongs to root. The signals of a
 * service manager are for the daemon, which ends us.
 */
static int maker_confine(void)
{
	static const unsigned int needed[] = { CAP_SYS_ADMIN, CAP_CHOWN };
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	(void)prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0);
	log_follow(log_shared());
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_IGN);
	return privileges_keep(needed, sizeof(needed) / sizeof(needed[0]));
}

int usb_maker_run(int socket, const struct usb_maker_rules *rules)
{
	static struct maker maker;
	struct usb_admission admission;
	int r = maker_confine();

	maker.socket = socket;
	maker.rules = rules;
	for (size_t i = 0; i < MADE_MAX; i++)
		maker.made[i] = (struct made){ .gadget = USB_GADGET_NULL, .lock = -1 };
	usb_admission_init(&admission, rules);
	if (r == 0)
		r = maker_loop(&maker, &admission);
	if (r < 0)
		log_error("usb", "the process that makes USB devices ends: %s", strerror(-r));
	for (size_t i = 0; i < MADE_MAX; i++)
		made_remove(&maker.made[i]);
	usb_admission_deinit(&admission);
	/* No other daemon has made its own yet: it waits for our copy of the lock. */
	if (rules->control != NULL)
		(void)unlink(rules->control);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
