/*
 * The lines of doctor.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/checkup.h"

/* What was printed until then; to be freed. */
struct output {
	struct checkup checkup;
	char *text;
	size_t size;
};

static void output_init(struct output *output)
{
	*output = (struct output){ .text = NULL };
	output->checkup.out = open_memstream(&output->text, &output->size);
	assert_non_null(output->checkup.out);
}

static void output_is(struct output *output, const char *expected)
{
	assert_int_equal(fclose(output->checkup.out), 0);
	assert_string_equal(output->text, expected);
	free(output->text);
}

static void test_a_line_for_each(void **state)
{
	struct output output;

	(void)state;
	output_init(&output);
	checkup_ok(&output.checkup, "pcscd", "%d readers", 2);
	checkup_unknown(&output.checkup, "udevd", "only root may look");
	assert_int_equal(checkup_end(&output.checkup), 0);
	output_is(&output, "ok       pcscd: 2 readers\n"
			   "unknown  udevd: only root may look\n"
			   "no problem found\n");
}

static void test_what_to_type(void **state)
{
	struct output output;

	(void)state;
	output_init(&output);
	checkup_problem(&output.checkup, "module dummy_hcd", "modprobe dummy_hcd", "not loaded");
	checkup_problem(&output.checkup, "bridge", NULL, "nobody listens there");
	assert_int_equal(checkup_end(&output.checkup), 1);
	output_is(&output, "problem  module dummy_hcd: not loaded\n"
			   "             type: modprobe dummy_hcd\n"
			   "problem  bridge: nobody listens there\n"
			   "2 problems found\n");
}

/* A device's name is what its maker, or a guest, makes of it: ESC, CSI of one byte less, DEL. */
static void test_names_move_no_cursor(void **state)
{
	struct output output;

	(void)state;
	output_init(&output);
	checkup_ok(&output.checkup, "reader", "%s", "a\x1B[2Jb\nc\x7F\xC2\x9B" "2Jd\xC2\x80\xC2\x9F\xC2\xA0\xC3\xA9");
	output_is(&output, "ok       reader: a?[2Jb?c???2Jd????\xC2\xA0\xC3\xA9\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_for_each),
		cmocka_unit_test(test_what_to_type),
		cmocka_unit_test(test_names_move_no_cursor),
	};

	return cmocka_run_group_tests_name("base-checkup", tests, NULL, NULL);
}
