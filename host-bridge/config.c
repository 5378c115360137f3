/*
 * bridge.conf by libconfuse: the schema, a check for each value, and the copy into our own structs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/config.h"

#include <confuse.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "host-bridge/pin_guard.h"
#include "relay/endpoint.h"
#include "relay/wire.h"

/* ---- one check per value ---- */

static int check_listen(cfg_t *cfg, cfg_opt_t *opt)
{
	char why[CONFIG_PROBLEM_MAX];
	const char *value = config_newest(opt);

	if (endpoint_check(value, why, sizeof why) != 0) {
		cfg_error(cfg, "listen: %s", why);
		return -1;
	}
	for (unsigned int i = 0; i + 1 < cfg_opt_size(opt); i++) {
		if (strcmp(cfg_opt_getnstr(opt, i), value) == 0) {
			cfg_error(cfg, "listen: \"%s\" is there twice", value);
			return -1;
		}
	}
	return 0;
}

static int check_front_user(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct passwd *user = getpwnam(config_newest(opt));

	if (user == NULL)
		cfg_error(cfg, "front-user: there is no user \"%s\"", config_newest(opt));
	else if (user->pw_uid == 0)
		cfg_error(cfg, "front-user: \"%s\" may do anything; take a user that may do "
			"nothing", config_newest(opt));
	return user != NULL && user->pw_uid != 0 ? 0 : -1;
}

static int check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	if (strcmp(config_newest(opt), "none") == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": auth = %s: there is none only; leave it out, and give the guest's "
		"key", cfg_title(cfg), config_newest(opt));
	return -1;
}

static int check_key(cfg_t *cfg, cfg_opt_t *opt)
{
	struct public_key key;

	if (key_public_from_text(config_newest(opt), &key) == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": key: this is no public key; 'ccid-gadget pubkey' prints it in the "
		"guest", cfg_title(cfg));
	return -1;
}

static int check_key_file(cfg_t *cfg, cfg_opt_t *opt)
{
	if (config_newest(opt)[0] == '/')
		return 0;
	cfg_error(cfg, "key-file: the path must be absolute");
	return -1;
}

static int check_share(cfg_t *cfg, cfg_opt_t *opt)
{
	enum share_mode mode;

	if (share_by_name(config_newest(opt), &mode) == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": share = %s: use shared, transaction or exclusive",
		cfg_title(cfg), config_newest(opt));
	return -1;
}

static int check_hold(cfg_t *cfg, cfg_opt_t *opt)
{
	long value = cfg_opt_getnint(opt, 0);

	if (value >= HOLD_MIN && value <= HOLD_MAX)
		return 0;
	cfg_error(cfg, "guest \"%s\": %s = %ld: it is milliseconds, from %d to %d", cfg_title(cfg),
		cfg_opt_name(opt), value, HOLD_MIN, HOLD_MAX);
	return -1;
}

/* libconfuse takes an empty value for 0, which would be no guard. */
static int parse_pin_guard(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	char *end;

	errno = 0;
	*(long *)result = strtol(value, &end, 0);
	if (*value != '\0' && *end == '\0' && errno == 0)
		return 0;
	cfg_error(cfg, "invalid integer value for option '%s'", cfg_opt_name(opt));
	return -1;
}

static int check_pin_guard(cfg_t *cfg, cfg_opt_t *opt)
{
	long value = cfg_opt_getnint(opt, 0);

	if (value >= 0 && value <= PIN_GUARD_MAX)
		return 0;
	cfg_error(cfg, "guest \"%s\": pin-guard = %ld: it is the number of tries that stay with the card, "
		"up to %d; 0 is no guard", cfg_title(cfg), value, PIN_GUARD_MAX);
	return -1;
}

static int check_pin_guard_ask(cfg_t *cfg, cfg_opt_t *opt)
{
	if (strcmp(config_newest(opt), "yes") == 0 || strcmp(config_newest(opt), "no") == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": pin-guard-ask = %s: use yes or no", cfg_title(cfg),
		config_newest(opt));
	return -1;
}

static int check_pattern(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = config_newest(opt);

	if (config_is_name(value, WIRE_NAME_MAX - 1))
		return 0;
	cfg_error(cfg, "guest \"%s\": readers: a pattern has 1 to %d printable characters",
		cfg_title(cfg), WIRE_NAME_MAX - 1);
	return -1;
}

/* Options that contradict each other, or that mean nothing without another one. */
static int check_guard(cfg_t *cfg, cfg_t *guest)
{
	const char *name = cfg_title(guest);

	if (cfg_getint(guest, "pin-guard") == 0) {
		if (cfg_getstr(guest, "pin-guard-ask") == NULL)
			return 0;
		cfg_error(cfg, "guest \"%s\" has pin-guard-ask, but no pin-guard", name);
		return -1;
	}
	if (cfg_getbool(guest, "escape") == cfg_false)
		return 0;
	cfg_error(cfg, "guest \"%s\" has escape = yes and pin-guard: an escape command can carry a PIN to "
		"the card, and the guard can't see it; take one of them", name);
	return -1;
}

/* Called at the end of each guest's section. */
static int check_guest(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *guest = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *name = cfg_title(guest);

	if (!config_is_name(name, WIRE_NAME_MAX - 1)) {
		cfg_error(cfg, "guest: a name has 1 to %d printable characters", WIRE_NAME_MAX - 1);
		return -1;
	}
	if (cfg_getstr(guest, "key") == NULL && cfg_getstr(guest, "auth") == NULL) {
		cfg_error(cfg, "guest \"%s\" has no key = \"...\"; for ipc:// there may be auth = none: "
			"who reaches the socket is trusted then", name);
		return -1;
	}
	if (cfg_getstr(guest, "key") != NULL && cfg_getstr(guest, "auth") != NULL) {
		cfg_error(cfg, "guest \"%s\" has key and auth = none: take one of them", name);
		return -1;
	}
	if (cfg_getint(guest, "hold-max") < cfg_getint(guest, "hold")) {
		cfg_error(cfg, "guest \"%s\": hold-max is less than hold", name);
		return -1;
	}
	if (check_guard(cfg, guest) != 0)
		return -1;
	if (cfg_size(guest, "readers") == 0) {
		cfg_error(cfg, "guest \"%s\" has no readers = { \"pattern\", ... }: it would "
			"see none", name);
		return -1;
	}
	return 0;
}

/* ---- from libconfuse's tree to ours ---- */

static int copy_list(cfg_t *cfg, const char *name, char ***values, size_t *count)
{
	unsigned int size = cfg_size(cfg, name);

	*values = calloc(size > 0 ? size : 1, sizeof **values);
	if (*values == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < size; i++) {
		(*values)[i] = strdup(cfg_getnstr(cfg, name, i));
		if ((*values)[i] == NULL)
			return -ENOMEM;
		*count += 1;
	}
	return 0;
}

static int copy_guest(cfg_t *cfg, struct bridge_guest_config *guest)
{
	guest->name = strdup(cfg_title(cfg));
	if (guest->name == NULL)
		return -ENOMEM;
	(void)share_by_name(cfg_getstr(cfg, "share"), &guest->share.mode);
	guest->share.hold = (unsigned int)cfg_getint(cfg, "hold");
	guest->share.hold_max = (unsigned int)cfg_getint(cfg, "hold-max");
	guest->pin_pad = cfg_getbool(cfg, "pin-pad") == cfg_true;
	guest->escape = cfg_getbool(cfg, "escape") == cfg_true;
	guest->pin_guard = (unsigned int)cfg_getint(cfg, "pin-guard");
	guest->pin_guard_ask = cfg_getstr(cfg, "pin-guard-ask") == NULL ||
		strcmp(cfg_getstr(cfg, "pin-guard-ask"), "yes") == 0;
	guest->keyed = cfg_getstr(cfg, "key") != NULL;
	if (guest->keyed)
		(void)key_public_from_text(cfg_getstr(cfg, "key"), &guest->key);
	return copy_list(cfg, "readers", &guest->patterns, &guest->pattern_count);
}

static int copy_guests(cfg_t *cfg, struct bridge_config *config)
{
	unsigned int size = cfg_size(cfg, "guest");
	int r = 0;

	config->guests = calloc(size, sizeof *config->guests);
	if (config->guests == NULL)
		return -ENOMEM;
	config->guest_count = size;
	for (unsigned int i = 0; i < size && r == 0; i++) {
		r = copy_guest(cfg_getnsec(cfg, "guest", i), &config->guests[i]);
		config->guarded = config->guarded || config->guests[i].pin_guard > 0;
	}
	return r;
}

/* Who it is must be clear: by a key that nobody else has, or because nobody else gets here. */
static int check_trust(cfg_t *cfg, const struct bridge_config *config, size_t guest)
{
	const struct bridge_guest_config *guests = config->guests;

	for (size_t i = 0; i < config->endpoint_count && !guests[guest].keyed; i++) {
		if (endpoint_is_ipc(config->endpoints[i]))
			continue;
		cfg_error(cfg, "guest \"%s\" has auth = none, which is for ipc:// only, and there is "
			"%s: everybody on the network could use the cards; give it a key",
			guests[guest].name, config->endpoints[i]);
		return CONFIG_INVALID;
	}
	for (size_t i = 0; i < guest && guests[guest].keyed; i++) {
		if (!guests[i].keyed || !key_equal(&guests[i].key, &guests[guest].key))
			continue;
		cfg_error(cfg, "guest \"%s\" has the key of guest \"%s\": each needs its own",
			guests[guest].name, guests[i].name);
		return CONFIG_INVALID;
	}
	return 0;
}

static int copy_keys(cfg_t *cfg, struct bridge_config *config)
{
	int r = 0;

	for (size_t i = 0; i < config->guest_count && r == 0; i++) {
		config->keyed = config->keyed || config->guests[i].keyed;
		r = check_trust(cfg, config, i);
	}
	config->key_file = strdup(cfg_getstr(cfg, "key-file"));
	return r != 0 || config->key_file != NULL ? r : -ENOMEM;
}

/* The default is not checked above, and is there on every Debian. Without it, only root needs it. */
static int copy_front_user(cfg_t *cfg, struct bridge_config *config)
{
	const struct passwd *user = getpwnam(cfg_getstr(cfg, "front-user"));

	if (user == NULL) {
		cfg_error(cfg, "front-user: there is no user \"%s\"; name another one",
			cfg_getstr(cfg, "front-user"));
		return CONFIG_INVALID;
	}
	config->front_user = user->pw_uid;
	config->front_group = user->pw_gid;
	return 0;
}

static int copy_config(cfg_t *cfg, void *target)
{
	struct bridge_config *config = target;
	int r;

	if (cfg_size(cfg, "listen") == 0) {
		cfg_error(cfg, "there is no listen = { \"ipc:///path\" }: no guest could connect");
		return CONFIG_INVALID;
	}
	if (cfg_size(cfg, "listen") > BRIDGE_ENDPOINTS_MAX) {
		cfg_error(cfg, "listen has more than %d endpoints", BRIDGE_ENDPOINTS_MAX);
		return CONFIG_INVALID;
	}
	if (cfg_size(cfg, "guest") == 0) {
		cfg_error(cfg, "there is no guest \"name\" { ... }: nobody could use a reader");
		return CONFIG_INVALID;
	}
	(void)log_level_by_name(cfg_getstr(cfg, "log-level"), &config->log_level);
	config->control = strdup(cfg_getstr(cfg, "control"));
	r = config->control != NULL ? copy_front_user(cfg, config) : -ENOMEM;
	if (r == 0)
		r = copy_list(cfg, "listen", &config->endpoints, &config->endpoint_count);
	if (r == 0)
		r = copy_guests(cfg, config);
	return r != 0 ? r : copy_keys(cfg, config);
}

/* ---- the file ---- */

int bridge_config_read(struct bridge_config *config, const char *file, char *problem)
{
	cfg_opt_t guest_options[] = {
		CFG_STR("auth", NULL, CFGF_NONE),
		CFG_STR("key", NULL, CFGF_NONE),
		CFG_STR("share", "transaction", CFGF_NONE),
		CFG_INT("hold", HOLD_DEFAULT, CFGF_NONE),
		CFG_INT("hold-max", HOLD_MAX_DEFAULT, CFGF_NONE),
		CFG_STR_LIST("readers", NULL, CFGF_NONE),
		CFG_BOOL("pin-pad", cfg_true, CFGF_NONE),
		CFG_BOOL("escape", cfg_false, CFGF_NONE),
		CFG_INT_CB("pin-guard", 0, CFGF_NONE, parse_pin_guard),
		CFG_STR("pin-guard-ask", NULL, CFGF_NONE),
		CFG_END()
	};
	cfg_opt_t options[] = {
		CFG_STR_LIST("listen", NULL, CFGF_NONE),
		CFG_STR("front-user", "nobody", CFGF_NONE),
		CFG_STR("key-file", BRIDGE_KEY_FILE, CFGF_NONE),
		CFG_STR("log-level", "info", CFGF_NONE),
		CFG_STR("control", BRIDGE_CONTROL, CFGF_NONE),
		CFG_SEC("guest", guest_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_END()
	};
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	int r;

	if (cfg == NULL)
		return -ENOMEM;
	cfg_set_validate_func(cfg, "listen", check_listen);
	cfg_set_validate_func(cfg, "front-user", check_front_user);
	cfg_set_validate_func(cfg, "log-level", config_check_log_level);
	cfg_set_validate_func(cfg, "control", config_check_socket);
	cfg_set_validate_func(cfg, "guest", check_guest);
	cfg_set_validate_func(cfg, "key-file", check_key_file);
	cfg_set_validate_func(cfg, "guest|auth", check_auth);
	cfg_set_validate_func(cfg, "guest|key", check_key);
	cfg_set_validate_func(cfg, "guest|share", check_share);
	cfg_set_validate_func(cfg, "guest|hold", check_hold);
	cfg_set_validate_func(cfg, "guest|hold-max", check_hold);
	cfg_set_validate_func(cfg, "guest|readers", check_pattern);
	cfg_set_validate_func(cfg, "guest|pin-guard", check_pin_guard);
	cfg_set_validate_func(cfg, "guest|pin-guard-ask", check_pin_guard_ask);
	r = config_file_read(file, cfg, copy_config, config, problem);
	if (r != 0)
		bridge_config_deinit(config);
	return r;
}

static void free_list(char **values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(values[i]);
	free(values);
}

void bridge_config_deinit(struct bridge_config *config)
{
	free_list(config->endpoints, config->endpoint_count);
	for (size_t i = 0; i < config->guest_count; i++) {
		free(config->guests[i].name);
		free_list(config->guests[i].patterns, config->guests[i].pattern_count);
	}
	free(config->guests);
	free(config->key_file);
	free(config->control);
	*config = BRIDGE_CONFIG_NULL;
}
