/*
 * gadget.conf by libconfuse: the schema, a check for each value, and the copy into our own structs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/config.h"

#include <confuse.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/endpoint.h"

/* The first ID of libccid's list (since 1.3.10) that no driver gives a special treatment. */
#define DEFAULT_VENDOR 0x0E0F
#define DEFAULT_PRODUCT 0x0004

#define DEFAULT_USER "ccid-gadget"
#define SPARE_USER "nobody"

/* ACS's own driver takes all devices of this vendor away from libccid. */
#define VENDOR_ACS 0x072F

#define DUMMY_UDC "dummy_udc."

/* ---- what a value must be; each returns 0, or -1 after a complaint ---- */

static int check_bridge(cfg_t *cfg, cfg_opt_t *opt)
{
	char why[CONFIG_PROBLEM_MAX];

	if (endpoint_check(config_newest(opt), why, sizeof(why)) == 0)
		return 0;
	cfg_error(cfg, "bridge: %s", why);
	return -1;
}

static int check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	if (strcmp(config_newest(opt), "none") == 0)
		return 0;
	cfg_error(cfg, "auth = %s: there is none only; leave it out, and name the bridge's key with "
		       "bridge-key", config_newest(opt));
	return -1;
}

static int check_bridge_key(cfg_t *cfg, cfg_opt_t *opt)
{
	struct public_key key;

	if (key_public_from_text(config_newest(opt), &key) == 0)
		return 0;
	cfg_error(cfg, "bridge-key: this is no public key; 'ccid-bridge pubkey' prints it on the host");
	return -1;
}

static int check_key_file(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = config_newest(opt);

	if (value[0] == '/' && strlen(value) < CONFIG_PATH_MAX)
		return 0;
	cfg_error(cfg, "key-file: the path must be absolute, and shorter than %d bytes", CONFIG_PATH_MAX);
	return -1;
}

static int check_name(cfg_t *cfg, cfg_opt_t *opt)
{
	if (config_is_name(config_newest(opt), WIRE_NAME_MAX - 1))
		return 0;
	cfg_error(cfg, "name: it has 1 to %d printable characters", WIRE_NAME_MAX - 1);
	return -1;
}

static int check_user(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = config_newest(opt);

	if (getpwnam(value) != NULL && strlen(value) < CONFIG_USER_MAX)
		return 0;
	cfg_error(cfg, "user: there is no user \"%s\"", value);
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
	const char *value = config_newest(opt);
	size_t good = 0;

	while (value[good] >= '!' && value[good] <= '~')
		good++;
	if (value[good] == '\0' && good <= USB_STRING_MAX)
		return 0;
	cfg_error(cfg, "serial: must be at most %d printable ASCII characters without spaces",
		USB_STRING_MAX);
	return -1;
}

static int check_udc(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = config_newest(opt);

	/* Anything else is hardware, whose role as a gadget is somebody else's business. */
	if (strncmp(value, DUMMY_UDC, strlen(DUMMY_UDC)) == 0 && strlen(value) < 64)
		return 0;
	cfg_error(cfg, "udc: '%s' is not a dummy controller; write dummy_udc.0 or a higher number",
		value);
	return -1;
}

/* What only one reader can have is not to be said of all. */
static int check_mirror(cfg_t *cfg, cfg_t *section)
{
	static const char *const options[] = { "serial", "udc" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (cfg_getstr(section, options[i]) == NULL)
			continue;
		cfg_error(cfg, "reader \"*\" stands for all readers, and only one can have this %s: "
			       "give that one a section of its own", options[i]);
		return -1;
	}
	return 0;
}

/* Called at the end of each reader's section. */
static int check_reader(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *pattern = cfg_title(section);

	if (!config_is_name(pattern, WIRE_NAME_MAX - 1)) {
		cfg_error(cfg, "reader: a pattern has 1 to %d printable characters",
			WIRE_NAME_MAX - 1);
		return -1;
	}
	if (cfg_opt_size(opt) > CONFIG_READERS_MAX) {
		cfg_error(cfg, "reader: there are at most %d", CONFIG_READERS_MAX);
		return -1;
	}
	if (strcmp(pattern, CONFIG_MIRROR) == 0)
		return check_mirror(cfg, section);
	return 0;
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
	CFG_STR("bridge-key", NULL, CFGF_NODEFAULT),
	CFG_STR("key-file", CONFIG_KEY_FILE, CFGF_NONE),
	CFG_STR("name", NULL, CFGF_NODEFAULT),
	CFG_STR("log-level", "info", CFGF_NONE),
	CFG_STR("user", NULL, CFGF_NODEFAULT),
	CFG_STR("control", CONFIG_CONTROL, CFGF_NONE),
	CFG_SEC("reader", reader_options, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
	CFG_END(),
};

static cfg_t *config_schema(void)
{
	cfg_t *cfg = cfg_init(options, CFGF_NONE);

	if (cfg == NULL)
		return NULL;
	cfg_set_validate_func(cfg, "bridge", check_bridge);
	cfg_set_validate_func(cfg, "auth", check_auth);
	cfg_set_validate_func(cfg, "bridge-key", check_bridge_key);
	cfg_set_validate_func(cfg, "key-file", check_key_file);
	cfg_set_validate_func(cfg, "name", check_name);
	cfg_set_validate_func(cfg, "log-level", config_check_log_level);
	cfg_set_validate_func(cfg, "user", check_user);
	cfg_set_validate_func(cfg, "control", config_check_socket);
	cfg_set_validate_func(cfg, "reader", check_reader);
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

static void copy_reader(cfg_t *cfg, struct config_reader *reader)
{
	(void)snprintf(reader->pattern, sizeof(reader->pattern), "%s", cfg_title(cfg));
	reader->mirror = strcmp(reader->pattern, CONFIG_MIRROR) == 0;
	reader->vendor = (uint16_t)cfg_getint(cfg, "vendor");
	reader->product = (uint16_t)cfg_getint(cfg, "product");
	reader->interrupt = cfg_getbool(cfg, "interrupt") == cfg_true;
	copy_string(cfg, "serial", reader->serial, sizeof(reader->serial));
	copy_string(cfg, "udc", reader->udc, sizeof(reader->udc));
}

/* The bit of a section's udc; 0 if it names none. */
static uint32_t udc_bit(const struct config_reader *reader)
{
	unsigned long number;

	if (reader->udc[0] == '\0')
		return 0;
	number = strtoul(reader->udc + strlen(DUMMY_UDC), NULL, 10);
	return number < USB_PORTS_MAX ? (uint32_t)1 << number : 0;
}

/* A port that a section names is kept free for it. */
static void reserve_udcs(struct config *config)
{
	uint32_t named = 0;

	for (size_t i = 0; i < config->readers_count; i++)
		named |= udc_bit(&config->readers[i]);
	for (size_t i = 0; i < config->readers_count; i++)
		config->readers[i].reserved_udcs = named;
}

/* Who the bridge is must be known by its key, or be said to be trusted: on this machine only. */
static int check_trust(cfg_t *cfg)
{
	bool keyed = cfg_getstr(cfg, "bridge-key") != NULL, none = cfg_getstr(cfg, "auth") != NULL;

	if (keyed && none)
		cfg_error(cfg, "there are bridge-key and auth = none: take one of them");
	else if (none && !endpoint_is_ipc(cfg_getstr(cfg, "bridge")))
		cfg_error(cfg, "auth = none is for ipc:// only: everybody on the network could be the "
			       "bridge, and read every PIN; name its key with bridge-key");
	else if (!keyed && !none)
		cfg_error(cfg, "there is no bridge-key = \"...\", the bridge's public key; for ipc:// "
			       "there may be auth = none: who listens on the socket is trusted then");
	else
		return 0;
	return CONFIG_INVALID;
}

/* The one that the configuration names, or ours, or the one that owns nothing. */
static int copy_user(cfg_t *cfg, struct config *config)
{
	const char *const names[] = { cfg_getstr(cfg, "user"), DEFAULT_USER, SPARE_USER };
	const struct passwd *user = NULL;
	size_t i = names[0] != NULL ? 0 : 1;

	while (user == NULL && i < sizeof(names) / sizeof(names[0]))
		user = getpwnam(names[i++]);
	if (user == NULL) {
		cfg_error(cfg, "there is no user \"" DEFAULT_USER "\" to run as; name one with user");
		return CONFIG_INVALID;
	}
	config->user = user->pw_uid;
	config->group = user->pw_gid;
	(void)snprintf(config->user_name, sizeof(config->user_name), "%s", user->pw_name);
	return 0;
}

/* What the file as a whole must have. */
static int check_whole(cfg_t *cfg)
{
	if (cfg_getstr(cfg, "bridge") == NULL)
		cfg_error(cfg, "there is no bridge = \"ipc:///path\"");
	else if (check_trust(cfg) != 0)
		return CONFIG_INVALID;
	else if (cfg_size(cfg, "reader") == 0)
		cfg_error(cfg, "there is no reader \"pattern\" { ... }: none would be made");
	else
		return 0;
	return CONFIG_INVALID;
}

static int copy_config(cfg_t *cfg, void *target)
{
	struct config *config = target;
	int r = check_whole(cfg);

	if (r == 0)
		r = copy_user(cfg, config);
	if (r != 0)
		return r;
	copy_string(cfg, "bridge", config->bridge, sizeof(config->bridge));
	config->keyed = cfg_getstr(cfg, "bridge-key") != NULL;
	if (config->keyed) {
		(void)key_public_from_text(cfg_getstr(cfg, "bridge-key"), &config->bridge_key);
		copy_string(cfg, "key-file", config->key_file, sizeof(config->key_file));
	}
	copy_string(cfg, "name", config->name, sizeof(config->name));
	if (config->name[0] == '\0')
		(void)gethostname(config->name, sizeof(config->name) - 1);
	(void)log_level_by_name(cfg_getstr(cfg, "log-level"), &config->log_level);
	copy_string(cfg, "control", config->control, sizeof(config->control));
	config->readers_count = cfg_size(cfg, "reader");
	for (unsigned int i = 0; i < config->readers_count; i++)
		copy_reader(cfg_getnsec(cfg, "reader", i), &config->readers[i]);
	reserve_udcs(config);
	return 0;
}

int config_read(const char *file, struct config *config, char *problem)
{
	cfg_t *cfg = config_schema();

	*config = (struct config){ .log_level = LOG_LEVEL_INFO };
	return cfg != NULL ? config_file_read(file, cfg, copy_config, config, problem) : -ENOMEM;
}
