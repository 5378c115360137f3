/*
 * bridge.conf by libconfuse: the schema, a check for each value, and the copy into our own structs.
 *
 * A value is checked when libconfuse has just read it, because only then does it know the line.
 * What is missing is found when the section, or the file, ends.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/config.h"

#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-bridge/config_text.h"
#include "host-bridge/endpoint.h"
#include "relay/wire.h"

/* What the error callback needs; set while bridge_config_read() runs. */
static struct {
	const char *file;
	char *problem;
} reading;

static void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading.problem, CONFIG_PROBLEM_MAX, format, args);
	va_end(args);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * Of several errors the first is the cause: libconfuse sometimes adds another one on its way out.
 */
static void on_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[CONFIG_PROBLEM_MAX];

	if (reading.problem[0] != '\0')
		return;
	(void)vsnprintf(text, sizeof text, format, args);
	report("%s:%d: %s", reading.file, cfg->line, text);
}

/* ---- one check per value ---- */

/* The value that was read last. */
static const char *newest(cfg_opt_t *opt)
{
	return cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
}

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text))
			return false;
	}
	return true;
}

static int check_listen(cfg_t *cfg, cfg_opt_t *opt)
{
	char why[CONFIG_PROBLEM_MAX];
	const char *value = newest(opt);

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

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	enum log_level level;

	if (log_level_by_name(newest(opt), &level) == 0)
		return 0;
	cfg_error(cfg, "log-level = %s: use error, warning, info or debug", newest(opt));
	return -1;
}

static int check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	if (strcmp(newest(opt), "none") == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": auth = %s: this version knows none only", cfg_title(cfg),
		newest(opt));
	return -1;
}

static int check_share(cfg_t *cfg, cfg_opt_t *opt)
{
	if (strcmp(newest(opt), "shared") == 0)
		return 0;
	cfg_error(cfg, "guest \"%s\": share = %s: this version knows shared only", cfg_title(cfg),
		newest(opt));
	return -1;
}

static int check_pattern(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = newest(opt);

	if (value[0] != '\0' && strlen(value) < WIRE_NAME_MAX && is_printable(value))
		return 0;
	cfg_error(cfg, "guest \"%s\": readers: a pattern has 1 to %d printable characters",
		cfg_title(cfg), WIRE_NAME_MAX - 1);
	return -1;
}

/* Called at the end of each guest's section. */
static int check_guest(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *guest = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *name = cfg_title(guest);

	if (name[0] == '\0' || strlen(name) >= WIRE_NAME_MAX || !is_printable(name)) {
		cfg_error(cfg, "guest: a name has 1 to %d printable characters", WIRE_NAME_MAX - 1);
		return -1;
	}
	if (cfg_getstr(guest, "auth") == NULL) {
		cfg_error(cfg, "guest \"%s\" has no auth = none: say that you trust who reaches "
			"the socket", name);
		return -1;
	}
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
	for (unsigned int i = 0; i < size && r == 0; i++)
		r = copy_guest(cfg_getnsec(cfg, "guest", i), &config->guests[i]);
	return r;
}

static int copy_config(cfg_t *cfg, struct bridge_config *config)
{
	int r;

	if (cfg_size(cfg, "listen") == 0) {
		cfg_error(cfg, "there is no listen = { \"ipc:///path\" }: no guest could connect");
		return CONFIG_INVALID;
	}
	if (cfg_size(cfg, "guest") == 0) {
		cfg_error(cfg, "there is no guest \"name\" { ... }: nobody could use a reader");
		return CONFIG_INVALID;
	}
	(void)log_level_by_name(cfg_getstr(cfg, "log-level"), &config->log_level);
	r = copy_list(cfg, "listen", &config->endpoints, &config->endpoint_count);
	return r != 0 ? r : copy_guests(cfg, config);
}

/* ---- the file ---- */

static int parse(const char *text, struct bridge_config *config)
{
	cfg_opt_t guest_options[] = {
		CFG_STR("auth", NULL, CFGF_NONE),
		CFG_STR("share", "shared", CFGF_NONE),
		CFG_STR_LIST("readers", NULL, CFGF_NONE),
		CFG_END()
	};
	cfg_opt_t options[] = {
		CFG_STR_LIST("listen", NULL, CFGF_NONE),
		CFG_STR("log-level", "info", CFGF_NONE),
		CFG_SEC("guest", guest_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_END()
	};
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	int r;

	if (cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(cfg, on_error);
	cfg_set_validate_func(cfg, "listen", check_listen);
	cfg_set_validate_func(cfg, "log-level", check_log_level);
	cfg_set_validate_func(cfg, "guest", check_guest);
	cfg_set_validate_func(cfg, "guest|auth", check_auth);
	cfg_set_validate_func(cfg, "guest|share", check_share);
	cfg_set_validate_func(cfg, "guest|readers", check_pattern);
	if (cfg_parse_buf(cfg, text) == CFG_SUCCESS)
		r = copy_config(cfg, config);
	else
		r = CONFIG_INVALID;
	cfg_free(cfg);
	return r;
}

static void report_text(int r, int line)
{
	switch (r) {
	case CONFIG_TEXT_UNREADABLE:
		if (errno == EINVAL)
			report("%s: not a text file", reading.file);
		else
			report("%s: %s", reading.file, strerror(errno));
		break;
	case CONFIG_TEXT_OPEN_QUOTE:
		report("%s:%d: this quote is never closed", reading.file, line);
		break;
	case CONFIG_TEXT_OPEN_BRACE:
		report("%s:%d: this brace is never closed", reading.file, line);
		break;
	}
}

int bridge_config_read(struct bridge_config *config, const char *file, char *problem)
{
	char *text;
	int line = 0;
	int r;

	reading.file = file;
	reading.problem = problem;
	problem[0] = '\0';
	r = config_text_read(file, &text, &line);
	if (r > 0) {
		report_text(r, line);
		r = CONFIG_INVALID;
	} else if (r == 0) {
		r = parse(text, config);
		free(text);
	}
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
	*config = BRIDGE_CONFIG_NULL;
}
