# SPDX-License-Identifier: BSD-3-Clause
#
# The compiler's settings for every target: warnings, hardening, and sanitizers where asked for.

add_compile_definitions(_GNU_SOURCE CCID_RELAY_VERSION="${PROJECT_VERSION}")
add_compile_options(
	-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes
	-Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -fno-common -fstack-protector-strong)
if(WITH_WERROR)
	add_compile_options(-Werror)
endif()

# Assertions stay in what is installed: a daemon whose state is impossible must not go on with a card
# in its hands.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

# Two builds of the same commit in two folders give the same bytes.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

if(WITH_SANITIZERS)
	add_compile_options(-fsanitize=${WITH_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${WITH_SANITIZERS})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
	add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(WITH_FUZZERS)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
if(NOT APPLE)
	add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()
