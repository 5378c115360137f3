/*
 * What the kernel must have for a reader. See doctor_parts.h.
 *
 * A module that isn't loaded is looked for in modules.dep of the running kernel, without loading it:
 * whether it would help to type "modprobe", or another kernel is needed, is the question here. There are
 * three reasons for the latter: Debian's cloud kernels have no USB at all, many distributions don't build
 * dummy_hcd, and after an upgrade the modules of the kernel that still runs may be gone.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <glob.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "gadget/doctor_parts.h"

#define CONFIGFS "/sys/kernel/config"
#define CONFIGFS_TYPE 0x62656570 /* not in every version of Linux's public headers */
#define DUMMY_UDCS "/sys/class/udc/dummy_udc.*"
#define PATH_ROOM 512

/* The first line of a file, without its end; empty if there is none. */
static void first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	if (file == NULL || fgets(line, (int)size, file) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (file != NULL)
		(void)fclose(file);
}

/* The value of a key in os-release(5), without its quotation marks; empty if it isn't there. */
static void distribution(const char *key, char *value, size_t size)
{
	FILE *file = fopen("/etc/os-release", "re");
	size_t length = strlen(key);
	char line[256], *text;

	value[0] = '\0';
	while (file != NULL && value[0] == '\0' && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, length) != 0 || line[length] != '=')
			continue;
		text = line + length + 1;
		text += *text == '"' ? 1 : 0;
		text[strcspn(text, "\"\n")] = '\0';
		(void)snprintf(value, size, "%s", text);
	}
	if (file != NULL)
		(void)fclose(file);
}

/* The kernel that runs has no such module, neither loaded nor to be loaded. */
static void explain_lack(struct checkup *checkup, const char *what, const char *release)
{
	char path[PATH_ROOM], id[64], name[128];

	(void)snprintf(path, sizeof(path), "/lib/modules/%s", release);
	distribution("ID", id, sizeof(id));
	distribution("PRETTY_NAME", name, sizeof(name));
	if (access(path, F_OK) != 0)
		checkup_problem(checkup, what, "reboot", "not loaded, and there are no modules of the "
			"kernel that runs, %s, as after an upgrade of it", release);
	else if (strstr(release, "-cloud-") != NULL)
		checkup_problem(checkup, what, "apt install linux-image-amd64, and boot it",
			"kernel %s is one for clouds: these don't have it", release);
	else if (strcmp(id, "debian") == 0)
		checkup_problem(checkup, what, "apt install linux-image-amd64, and boot it",
			"kernel %s doesn't have it; Debian's does", release);
	else
		checkup_problem(checkup, what, "grep -E 'DUMMY_HCD|CONFIGFS_F_FS' /boot/config-$(uname -r)",
			"kernel %s of %s doesn't have it, as some distributions' don't: one with "
			"CONFIG_USB_DUMMY_HCD and CONFIG_USB_CONFIGFS_F_FS is needed", release, name);
}

/* Whether a line of the kernel's list of modules names this one. */
static bool listed(const char *release, const char *list, const char *module)
{
	char path[PATH_ROOM], line[4096], name[64];
	bool found = false;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, list);
	(void)snprintf(name, sizeof(name), "/%s.ko", module);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		/* What it depends on follows the colon. */
		line[strcspn(line, ":\n")] = '\0';
		found = strstr(line, name) != NULL;
	}
	(void)fclose(file);
	return found;
}

/* by_itself: the kernel loads it when it is wanted. Returns whether the kernel has it now. */
static bool check_module(struct checkup *checkup, const char *module, bool by_itself)
{
	char path[PATH_ROOM], what[64], remedy[64], release[128];

	(void)snprintf(path, sizeof(path), "/sys/module/%s", module);
	(void)snprintf(what, sizeof(what), "module %s", module);
	(void)snprintf(remedy, sizeof(remedy), "modprobe %s", module);
	if (access(path, F_OK) == 0) {
		checkup_ok(checkup, what, "loaded");
		return true;
	}
	first_line("/proc/sys/kernel/osrelease", release, sizeof(release));
	if (listed(release, "modules.builtin", module)) {
		checkup_ok(checkup, what, "part of the kernel");
		return true;
	}
	if (listed(release, "modules.dep", module) && by_itself)
		checkup_ok(checkup, what, "there, and loaded when it is wanted");
	else if (listed(release, "modules.dep", module))
		checkup_problem(checkup, what, remedy, "not loaded");
	else
		explain_lack(checkup, what, release);
	return false;
}

static void check_configfs(struct checkup *checkup)
{
	struct statfs about;

	if (statfs(CONFIGFS, &about) == 0 && about.f_type == CONFIGFS_TYPE)
		checkup_ok(checkup, "configfs", "mounted");
	else
		checkup_problem(checkup, "configfs", "modprobe configfs; mount -t configfs none " CONFIGFS,
			"not mounted at " CONFIGFS);
}

/* A controller that has a gadget names its function. */
static bool is_busy(const char *udc)
{
	char path[PATH_ROOM], name[64];

	(void)snprintf(path, sizeof(path), "%s/function", udc);
	first_line(path, name, sizeof(name));
	return name[0] > ' ';
}

void doctor_more_ports(char remedy[static DOCTOR_REMEDY_MAX], size_t wanted)
{
	(void)snprintf(remedy, DOCTOR_REMEDY_MAX, "echo 'options dummy_hcd num=%zu' "
		">/etc/modprobe.d/ccid-gadget.conf; rmmod dummy_hcd; modprobe dummy_hcd",
		wanted > 4 ? wanted : 4);
}

static void check_ports(struct checkup *checkup, const struct config *config)
{
	size_t wanted = config != NULL ? config->readers_count : 1, busy = 0, count = 0;
	char remedy[DOCTOR_REMEDY_MAX];
	glob_t found;

	if (glob(DUMMY_UDCS, 0, NULL, &found) == 0)
		count = found.gl_pathc;
	for (size_t i = 0; i < count; i++)
		busy += is_busy(found.gl_pathv[i]) ? 1u : 0;
	globfree(&found);
	doctor_more_ports(remedy, wanted);
	if (count == 0)
		checkup_problem(checkup, "virtual ports", "modprobe dummy_hcd", "there are none");
	else if (count < wanted)
		checkup_problem(checkup, "virtual ports", remedy, "%zu, and the configuration has "
			"%zu readers: each needs one", count, wanted);
	else
		checkup_ok(checkup, "virtual ports", "%zu, of which %zu %s in use", count, busy,
			busy == 1 ? "is" : "are");
}

void doctor_kernel(struct checkup *checkup, const struct config *config)
{
	(void)check_module(checkup, "libcomposite", true);
	(void)check_module(checkup, "usb_f_fs", true);
	check_configfs(checkup);
	if (check_module(checkup, "dummy_hcd", false))
		check_ports(checkup, config);
}
