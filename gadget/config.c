/*
 * The configuration file, read by libconfuse: its schema, and what a value must be. Every complaint is
 * "file:line: what and why"; the first one ends the reading.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first ID of libccid's list (since 1.3.10) that no driver gives a special treatment. */
#define DEFAULT_VENDOR 0x0E0F
#define DEFAULT_PRODUCT 0x0004

/* ACS's own driver takes all devices of this vendor away from libccid. */
#define VENDOR_ACS 0x072F

/* sun_path, less its terminating zero: nanomsg aborts the process on a longer one. */
#define IPC_PATH_MAX 107

static void config_complain(cfg_t *cfg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void config_complain(cfg_t *cfg, const char *format, va_list args)
{
	if (cfg != NULL && cfg->filename != NULL && cfg->line > 0)
		(void)fprintf(stderr, "%s:%d: ", cfg->filename, cfg->line);
	else if (cfg != NULL && cfg->filename != NULL)
		(void)fprintf(stderr, "%s: ", cfg->filename);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
}

/* ---- what a value must be; each returns 0, or -1 after a complaint ---- */

static int check_bridge(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = cfg_opt_getnstr(opt, 0);

	if (strncmp(value, "tcp://", 6) == 0) {
		cfg_error(cfg, "bridge: tcp:// needs the keys of both sides, which this version does "
			       "not have; tunnel a unix socket (ssh -L, socat) and use ipc://");
		return -1;
	}
	if (strncmp(value, "ipc:///", 7) != 0) {
		cfg_error(cfg, "bridge: '%s' is not an endpoint; write ipc:///path/of/socket", value);
		return -1;
	}
	if (strlen(value) - 6 > IPC_PATH_MAX) {
		cfg_error(cfg, "bridge: a socket's path has at most %d bytes", IPC_PATH_MAX);
		return -1;
	}
	return 0;
}

static int check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = cfg_opt_getnstr(opt, 0);

	if (strcmp(value, "none") == 0)
		return 0;
	cfg_error(cfg, "auth: '%s' is unknown; this version has 'none', for ipc:// only", value);
	return -1;
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	enum log_level level;

	if (log_level_by_name(cfg_opt_getnstr(opt, 0), &level) == 0)
		return 0;
	cfg_error(cfg, "log-level: '%s' is none of error, warning, info, debug",
		cfg_opt_getnstr(opt, 0));
	return -1;
}

static int check_name(cfg_t *cfg, cfg_opt_t *opt)
{
	size_t length = strlen(cfg_opt_getnstr(opt, 0));

	if (length > 0 && length < WIRE_NAME_MAX)
		return 0;
	cfg_error(cfg, "%s: must have 1 to %d bytes", cfg_opt_name(opt), WIRE_NAME_MAX - 1);
	return -1;
}

static int check_usb_id(cfg_t *cfg, cfg_opt_t *opt)
{
	long value = cfg_opt_getnint(opt, 0);

	if (value < 1 || value > 0xFFFF) {
		cfg_error(cfg, "%s: must be between 0x0001 and 0xffff", cfg_opt_name(opt));
		return -1;
	}
	if (value == VENDOR_ACS && strcmp(cfg_opt_name(opt), "vendor") == 0) {
		cfg_error(cfg, "vendor: 0x072f is claimed by another driver than libccid");
		return -1;
	}
	return 0;
}

static int check_serial(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = cfg_opt_getnstr(opt, 0);
	size_t length = strlen(value);

	for (size_t i = 0; i < length; i++) {
		if (value[i] < '!' || value[i] > '~')
			length = SIZE_MAX - 1;
	}
	if (length <= USB_STRING_MAX)
		return 0;
	cfg_error(cfg, "serial: must be at most %d printable ASCII characters without spaces",
		USB_STRING_MAX);
	return -1;
}

static int check_udc(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = cfg_opt_getnstr(opt, 0);

	/* Anything else is hardware, whose role as a gadget is somebody else's business. */
	if (strncmp(value, "dummy_udc.", 10) == 0 && strlen(value) < 64)
		return 0;
	cfg_error(cfg, "udc: '%s' is not a dummy controller; write dummy_udc.0 or a higher number",
		value);
	return -1;
}

/* ---- the schema ---- */

static cfg_opt_t reader_options[] = {
	CFG_INT("vendor", DEFAULT_VENDOR, CFGF_NONE),
	CFG_INT("product", DEFAULT_PRODUCT, CFGF_NONE),
	CFG_STR("serial", NULL, CFGF_NODEFAULT),
	CFG_STR("udc", NULL, CFGF_NODEFAULT),
	CFG_BOOL("interrupt", cfg_true, CFGF_NONE),
	CFG_END(),
};

static cfg_opt_t options[] = {
	CFG_STR("bridge", NULL, CFGF_NODEFAULT),
	CFG_STR("auth", NULL, CFGF_NODEFAULT),
	CFG_STR("name", NULL, CFGF_NODEFAULT),
	CFG_STR("log-level", "info", CFGF_NONE),
	CFG_SEC("reader", reader_options, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
	CFG_END(),
};

static cfg_t *config_schema(void)
{
	cfg_t *cfg = cfg_init(options, CFGF_NONE);

	if (cfg == NULL)
		return NULL;
	cfg_set_error_function(cfg, config_complain);
	cfg_set_validate_func(cfg, "bridge", check_bridge);
	cfg_set_validate_func(cfg, "auth", check_auth);
	cfg_set_validate_func(cfg, "name", check_name);
	cfg_set_validate_func(cfg, "log-level", check_log_level);
	cfg_set_validate_func(cfg, "reader|vendor", check_usb_id);
	cfg_set_validate_func(cfg, "reader|product", check_usb_id);
	cfg_set_validate_func(cfg, "reader|serial", check_serial);
	cfg_set_validate_func(cfg, "reader|udc", check_udc);
	return cfg;
}

/* ---- from libconfuse's tree to ours ---- */

static void copy_string(cfg_t *cfg, const char *option, char *where, size_t size)
{
	const char *value = cfg_getstr(cfg, option);

	(void)snprintf(where, size, "%s", value != NULL ? value : "");
}

static int copy_reader(cfg_t *cfg, struct config_reader *reader)
{
	const char *pattern = cfg_title(cfg);

	if (pattern[0] == '\0' || strlen(pattern) >= sizeof(reader->pattern)) {
		cfg_error(cfg, "reader: the pattern must have 1 to %d bytes", WIRE_NAME_MAX - 1);
		return CONFIG_BAD;
	}
	(void)snprintf(reader->pattern, sizeof(reader->pattern), "%s", pattern);
	reader->vendor = (uint16_t)cfg_getint(cfg, "vendor");
	reader->product = (uint16_t)cfg_getint(cfg, "product");
	reader->interrupt = cfg_getbool(cfg, "interrupt") == cfg_true;
	copy_string(cfg, "serial", reader->serial, sizeof(reader->serial));
	copy_string(cfg, "udc", reader->udc, sizeof(reader->udc));
	return 0;
}

/* What the file as a whole must have; its line is unknown, its name is said. */
static int check_whole(cfg_t *cfg)
{
	unsigned int readers = cfg_size(cfg, "reader");

	cfg->line = 0;
	if (cfg_getstr(cfg, "bridge") == NULL)
		cfg_error(cfg, "'bridge' is missing; write bridge = \"ipc:///path/of/socket\"");
	else if (cfg_getstr(cfg, "auth") == NULL)
		cfg_error(cfg, "'auth' is missing; an ipc:// bridge needs auth = none");
	else if (readers == 0)
		cfg_error(cfg, "no reader is asked for; write reader \"*\" {}");
	else if (readers > CONFIG_READERS_MAX)
		cfg_error(cfg, "at most %d readers can be asked for", CONFIG_READERS_MAX);
	else
		return 0;
	return CONFIG_BAD;
}

static int config_copy(cfg_t *cfg, struct config *config)
{
	int r = check_whole(cfg);

	if (r != 0)
		return r;
	copy_string(cfg, "bridge", config->bridge, sizeof(config->bridge));
	copy_string(cfg, "name", config->name, sizeof(config->name));
	if (config->name[0] == '\0')
		(void)gethostname(config->name, sizeof(config->name) - 1);
	(void)log_level_by_name(cfg_getstr(cfg, "log-level"), &config->log_level);
	config->readers_count = cfg_size(cfg, "reader");
	for (unsigned int i = 0; r == 0 && i < config->readers_count; i++)
		r = copy_reader(cfg_getnsec(cfg, "reader", i), &config->readers[i]);
	return r;
}

int config_read(const char *path, struct config *config)
{
	cfg_t *cfg = config_schema();
	int r = CONFIG_BAD;

	*config = (struct config){ .log_level = LOG_LEVEL_INFO };
	if (cfg == NULL) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(ENOMEM));
		return r;
	}
	switch (cfg_parse(cfg, path)) {
	case CFG_SUCCESS:
		r = config_copy(cfg, config);
		break;
	case CFG_FILE_ERROR:
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		break;
	default:
		break; /* said by config_complain() */
	}
	cfg_free(cfg);
	return r;
}
