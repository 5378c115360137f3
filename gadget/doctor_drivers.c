/*
 * What a reader's drivers in this machine need. See doctor_parts.h.
 *
 * libccid only takes devices that are in the list of its Info.plist: two arrays, of vendors and of
 * products, whose items of the same place belong together.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gadget/doctor_parts.h"

#define LIST_MAX (1024 * 1024) /* bytes of Info.plist that are read: it has 120,000 */

static const char *const driver_lists[] = {
	"/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist",
	"/usr/lib64/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist",
};

static const char *const daemons[] = { "/usr/sbin/pcscd", "/usr/bin/pcscd", "/usr/local/sbin/pcscd" };

/* The first of the paths that is there, or NULL. */
static const char *first_there(const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (access(paths[i], F_OK) == 0)
			return paths[i];
	}
	return NULL;
}

/* A killed one leaves its socket behind. */
static void check_udev(struct checkup *checkup)
{
	const struct sockaddr_un control = { .sun_family = AF_UNIX,
		.sun_path = "/run/udev/control" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int error = fd < 0 || connect(fd, (const struct sockaddr *)&control, sizeof(control)) != 0
		? errno : 0;

	if (fd >= 0)
		(void)close(fd);
	if (error == 0)
		checkup_ok(checkup, "udevd", "runs");
	else if (error == EACCES)
		checkup_unknown(checkup, "udevd", "only root may look");
	else
		checkup_problem(checkup, "udevd", "apt install udev, and start it",
			"doesn't run: pcscd learns of new readers by it");
}

static void check_pcscd(struct checkup *checkup)
{
	const char *path = first_there(daemons, sizeof(daemons) / sizeof(daemons[0]));

	if (path != NULL)
		checkup_ok(checkup, "pcscd", "%s", path);
	else
		checkup_problem(checkup, "pcscd", "apt install pcscd libccid", "not installed; only "
			"GnuPG's own driver and programs with one of their own work without it");
}

/* ---- libccid's list ---- */

/* The text of a file, to be freed; NULL without. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = file != NULL ? malloc(LIST_MAX + 1) : NULL;
	size_t size;

	if (text != NULL) {
		size = fread(text, 1, LIST_MAX, file);
		text[size] = '\0';
	}
	if (file != NULL)
		(void)fclose(file);
	return text;
}

/* Steps to the next item of an array that begins before *at. Returns whether there is one. */
static bool next_item(const char **at, unsigned long *value)
{
	const char *item = strstr(*at, "<string>"), *end = strstr(*at, "</array>");

	if (item == NULL || end == NULL || item > end)
		return false;
	*value = strtoul(item + strlen("<string>"), NULL, 16);
	*at = item + strlen("<string>");
	return true;
}

static bool list_has(const char *list, uint16_t vendor, uint16_t product)
{
	const char *vendors = strstr(list, "<key>ifdVendorID</key>");
	const char *products = strstr(list, "<key>ifdProductID</key>");
	unsigned long v, p;

	while (vendors != NULL && products != NULL && next_item(&vendors, &v) &&
		next_item(&products, &p)) {
		if (v == vendor && p == product)
			return true;
	}
	return false;
}

static void check_devices(struct checkup *checkup, const struct config *config, const char *list)
{
	for (size_t i = 0; i < config->readers_count; i++) {
		const struct config_reader *reader = &config->readers[i];

		if (list_has(list, reader->vendor, reader->product))
			checkup_ok(checkup, "libccid", "knows %04x:%04x, reader \"%s\"",
				reader->vendor, reader->product, reader->pattern);
		else
			checkup_problem(checkup, "libccid", NULL, "doesn't have %04x:%04x, reader "
				"\"%s\", in its list, and leaves it alone: take vendor and product "
				"out of the configuration", reader->vendor, reader->product,
				reader->pattern);
	}
}

static void check_libccid(struct checkup *checkup, const struct config *config)
{
	const char *path = first_there(driver_lists, sizeof(driver_lists) / sizeof(driver_lists[0]));
	char *list = path != NULL ? read_text(path) : NULL;

	if (path == NULL)
		checkup_problem(checkup, "libccid", "apt install libccid",
			"not installed: pcscd has no driver for USB readers");
	else if (list == NULL)
		checkup_unknown(checkup, "libccid", "%s: %s", path, strerror(errno));
	else if (config != NULL)
		check_devices(checkup, config, list);
	free(list);
}

void doctor_drivers(struct checkup *checkup, const struct config *config)
{
	check_udev(checkup);
	check_pcscd(checkup);
	check_libccid(checkup, config);
}
