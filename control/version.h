/*
 * What --version has behind the daemon's own lines: the libraries that it runs with, those that it was
 * built with where they don't tell at run time, and what this build can do and what not.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdio.h>

/*
 * Prints three lines. built_with: the libraries that only this daemon has, "name version, name version".
 * features: what depends on the build, "+this -that"; "hardened" is added: no other process of its user
 * reads its memory, and no core is dumped.
 */
void control_version_print(const char *built_with, const char *features, FILE *out);
