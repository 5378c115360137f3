/*
 * The USB devices of sysfs. See own_devices.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/own_devices.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MANUFACTURER "ccid-relay" /* of gadget/identity.c */

/* A string of USB has 126 characters at most (USB 2.0, 9.6.7), a line's end and a zero follow. */
#define VALUE_SIZE 128

/* One attribute of a device, without the line's end; empty if there is none. */
static void read_value(const char *folder, const char *device, const char *attribute,
	char value[static VALUE_SIZE])
{
	char path[1024];
	FILE *file;

	value[0] = '\0';
	(void)snprintf(path, sizeof path, "%s/%s/%s", folder, device, attribute);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(value, VALUE_SIZE, file) == NULL)
		value[0] = '\0';
	value[strcspn(value, "\n")] = '\0';
	(void)fclose(file);
}

static bool device_has(const char *folder, const char *device, const char *name)
{
	char value[VALUE_SIZE];

	read_value(folder, device, "manufacturer", value);
	if (strcmp(value, MANUFACTURER) != 0)
		return false;
	read_value(folder, device, "serial", value);
	return value[0] != '\0' && strstr(name, value) != NULL;
}

bool own_device_has(const char *folder, const char *name)
{
	DIR *devices = opendir(folder);
	const struct dirent *device;
	bool found = false;

	if (devices == NULL)
		return false;
	while (!found && (device = readdir(devices)) != NULL)
		found = device->d_name[0] != '.' && device_has(folder, device->d_name, name);
	(void)closedir(devices);
	return found;
}
