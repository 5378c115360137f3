/*
 * What a reader promises: CCID 1.1, chapters 4 and 5.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/suite.h"

/* Table 4.3-1: class 0B, no subclass; protocol 0 is a reader with bulk endpoints. */
static bool interface_class(struct tester *t)
{
	const struct libusb_interface_descriptor *i = t->transport.setting;

	return tester_check(t, i->bInterfaceClass == 0x0B && i->bInterfaceSubClass == 0 &&
			i->bInterfaceProtocol == 0, "class %02X/%02X/%02X", i->bInterfaceClass,
		i->bInterfaceSubClass, i->bInterfaceProtocol);
}

/* 4.4 to 4.6: bulk OUT, bulk IN, and at most one interrupt IN. */
static bool endpoints(struct tester *t)
{
	const struct libusb_interface_descriptor *i = t->transport.setting;
	int expected = t->transport.interrupt_in != 0 ? 3 : 2;

	return tester_check(t, i->bNumEndpoints == expected, "%d endpoints", i->bNumEndpoints) &&
		tester_check(t, t->transport.bulk_in != 0 && t->transport.bulk_out != 0,
			"bulk IN or bulk OUT is missing");
}

/* USB 2.0, 5.8.3: bulk packets have 512 bytes at high speed, 8 to 64 at full speed. */
static bool packet_size(struct tester *t)
{
	int speed = libusb_get_device_speed(libusb_get_device(t->transport.handle));
	size_t size = t->transport.packet_size;
	bool good = speed == LIBUSB_SPEED_HIGH ? size == 512 : size >= 8 && size <= 64;

	return tester_check(t, good || speed > LIBUSB_SPEED_HIGH,
		"%zu bytes at speed %d", size, speed);
}

/* libccid looks at alternate setting 0 only, OpenCT and GnuPG's driver at all. */
static bool one_setting(struct tester *t)
{
	return tester_check(t, t->transport.interface->num_altsetting == 1, "%d alternate settings",
		t->transport.interface->num_altsetting);
}

/* 5.1: 54 bytes of type 21h directly behind the interface descriptor, and nothing else there. */
static bool class_descriptor_place(struct tester *t)
{
	int extra = t->transport.setting->extra_length;

	return tester_check(t, extra == 54, "%d bytes behind the interface descriptor", extra) &&
		tester_check(t, t->descriptor.bLength == 54, "bLength %u", t->descriptor.bLength) &&
		tester_check(t, t->descriptor.bDescriptorType == 0x21, "bDescriptorType %02X",
			t->descriptor.bDescriptorType);
}

/* Table 5.1-1: bcdCCID; there are releases 1.0 and 1.1. */
static bool release(struct tester *t)
{
	return tester_check(t, t->descriptor.bcdCCID == 0x0110 || t->descriptor.bcdCCID == 0x0100,
		"bcdCCID %04X", t->descriptor.bcdCCID);
}

/*
 * Table 5.1-1: as many slots may be busy as there are, or fewer; libccid locks the reader if fewer.
 */
static bool slots(struct tester *t)
{
	unsigned int n = t->descriptor.bMaxSlotIndex + 1U;

	return tester_check(t, t->descriptor.bMaxCCIDBusySlots >= 1 &&
			t->descriptor.bMaxCCIDBusySlots <= n, "%u of %u slots may be busy",
		t->descriptor.bMaxCCIDBusySlots, n);
}

/* Table 5.1-1: bits 0 to 2; OpenCT refuses a reader without any. */
static bool voltages(struct tester *t)
{
	uint8_t v = t->descriptor.bVoltageSupport;

	return tester_check(t, v >= 1 && v <= 7, "bVoltageSupport %02X", v);
}

/* Table 5.1-1: T=0 in bit 0, T=1 in bit 1, the rest is RFU and 0. */
static bool protocols(struct tester *t)
{
	uint32_t p = t->descriptor.dwProtocols;

	return tester_check(t, p >= 1 && p <= 3, "dwProtocols %08X", p);
}

/* GnuPG's driver refuses a reader without T=1, OpenKeychain too. */
static bool protocol_t1(struct tester *t)
{
	return tester_check(t, (t->descriptor.dwProtocols & 2) != 0, "dwProtocols %08X",
		t->descriptor.dwProtocols);
}

/* Table 5.1-1: in kHz; ISO/IEC 7816-3 has cards run at 1 to 20 MHz. */
static bool clocks(struct tester *t)
{
	uint32_t low = t->descriptor.dwDefaultClock, high = t->descriptor.dwMaximumClock;

	return tester_check(t, low >= 1000 && low <= high && high <= 100000,
		"%u to %u kHz", low, high);
}

/*
 * Table 5.1-1: in bit/s; the default is the default clock by 372 (ISO/IEC 7816-3, 8.1), or near it.
 */
static bool data_rates(struct tester *t)
{
	uint32_t low = t->descriptor.dwDataRate, high = t->descriptor.dwMaxDataRate;
	uint32_t usual = t->descriptor.dwDefaultClock * 1000U / 372;

	return tester_check(t, low <= high, "%u to %u bit/s", low, high) &&
		tester_check(t, low >= usual / 2 && low <= usual * 2, "%u bit/s at %u kHz", low,
			t->descriptor.dwDefaultClock);
}

/* Table 5.1-1: dwMaxIFSD is 32 to 254 for T=1 (ISO/IEC 7816-3, 11.4.2). */
static bool ifsd(struct tester *t)
{
	uint32_t n = t->descriptor.dwMaxIFSD;

	return tester_check(t, (t->descriptor.dwProtocols & 2) == 0 || (n >= 32 && n <= 254),
		"%u", n);
}

/* Table 5.1-1: at most one level of exchange, and at most one of 40h and 80h. */
static bool features(struct tester *t)
{
	uint32_t f = t->descriptor.dwFeatures;
	uint32_t level = f & FEATURE_LEVELS;

	return tester_check(t, (level & (level - 1)) == 0, "two levels in dwFeatures %08X", f) &&
		tester_check(t, (f & FEATURE_NEGOTIATES) == 0 || (f & FEATURE_PPS) == 0,
			"40h and 80h in dwFeatures %08X", f);
}

/* Table 5.1-1: an APDU level needs 02h, and 40h or 80h. */
static bool features_of_apdu_level(struct tester *t)
{
	uint32_t f = t->descriptor.dwFeatures;

	return tester_check(t, (f & FEATURE_CONFIGURED_FROM_ATR) != 0 &&
		(f & (FEATURE_NEGOTIATES | FEATURE_PPS)) != 0, "dwFeatures %08X", f);
}

/*
 * With 40h libccid never sends SetParameters and a program's choice of T=0 or T=1 is lost; 10h and
 * 20h are what OpenCT asks for.
 */
static bool features_for_drivers(struct tester *t)
{
	uint32_t f = t->descriptor.dwFeatures;

	return tester_check(t, (f & FEATURE_NEGOTIATES) == 0 && (f & 0x30) == 0x30,
		"dwFeatures %08X", f);
}

/* Table 5.1-1: 261 + 10 to 65544 + 10 bytes at extended APDU level, else at least one packet. */
static bool message_length(struct tester *t)
{
	uint32_t n = t->descriptor.dwMaxCCIDMessageLength;
	bool extended = (t->descriptor.dwFeatures & FEATURE_EXTENDED_APDU) != 0;

	return tester_check(t, n >= (extended ? 271 : t->transport.packet_size) && n <= 65554,
		"dwMaxCCIDMessageLength %u", n);
}

/*
 * libccid and GnuPG's driver send commands in parts of this length less the header. A full message that
 * is whole packets long would need an empty packet behind it, which drivers don't send.
 */
static bool message_length_for_drivers(struct tester *t)
{
	uint32_t n = t->descriptor.dwMaxCCIDMessageLength;

	return tester_check(t, n >= 271 && n % 64 != 0, "dwMaxCCIDMessageLength %u", n);
}

/* Table 5.1-1: bit 0 verification, bit 1 modification, the rest is RFU. */
static bool pin_support(struct tester *t)
{
	return tester_check(t, t->descriptor.bPINSupport <= 3, "bPINSupport %02X",
		t->descriptor.bPINSupport);
}

/* pcscd's names, GnuPG's reader ids and Linux's persistence need them. */
static bool strings(struct tester *t)
{
	const struct libusb_device_descriptor *device = &t->transport.device;
	char serial[128], name[128];

	transport_string(&t->transport, device->iSerialNumber, serial, sizeof(serial));
	transport_string(&t->transport, t->transport.setting->iInterface, name, sizeof(name));
	return tester_check(t, serial[0] != '\0', "no iSerialNumber") &&
		tester_check(t, name[0] != '\0', "no iInterface") &&
		tester_check(t, device->bcdDevice >= 0x0100, "bcdDevice %04X", device->bcdDevice);
}

/* libudev's pcscd tries every interface of a listed device, and libccid 1.8.0 trips over others. */
static bool only_readers(struct tester *t)
{
	for (int i = 0; i < t->transport.config->bNumInterfaces; i++) {
		uint8_t class = t->transport.config->interface[i].altsetting[0].bInterfaceClass;

		if (!tester_check(t, class == 0x0B, "interface %d is of class %02X", i, class))
			return false;
	}
	return true;
}

/* 4.6: what wMaxPacketSize of interrupt IN has to hold: one byte, and two bits per slot. */
static bool interrupt_packet(struct tester *t)
{
	size_t needed = 1 + (t->descriptor.bMaxSlotIndex + 4U) / 4;

	for (int i = 0; i < t->transport.setting->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *e = &t->transport.setting->endpoint[i];

		if (e->bEndpointAddress == t->transport.interrupt_in)
			return tester_check(t, e->wMaxPacketSize >= needed && e->bInterval > 0,
				"wMaxPacketSize %u, bInterval %u", e->wMaxPacketSize,
				e->bInterval);
	}
	return false;
}

const struct suite_case descriptor_cases[] = {
	{ "4.3", "interface of class 0B/00/00", 0, START_ANY, interface_class, NULL },
	{ "4.4", "endpoints: bulk OUT, bulk IN, interrupt IN or not", 0, START_ANY, endpoints,
		NULL },
	{ "4.6", "interrupt IN holds a notification", NEED_INTERRUPT, START_ANY, interrupt_packet,
		NULL },
	{ "USB 5.8.3", "bulk packets of 512 bytes, or of 8 to 64 at full speed", 0, START_ANY,
		packet_size, NULL },
	{ "5.1", "class descriptor: 54 bytes, type 21, behind the interface", 0, START_ANY,
		class_descriptor_place, NULL },
	{ "5.1", "bcdCCID", 0, START_ANY, release, NULL },
	{ "5.1", "bMaxSlotIndex and bMaxCCIDBusySlots", 0, START_ANY, slots, NULL },
	{ "5.1", "bVoltageSupport", 0, START_ANY, voltages, NULL },
	{ "5.1", "dwProtocols", 0, START_ANY, protocols, NULL },
	{ "5.1", "dwDefaultClock and dwMaximumClock in kHz", 0, START_ANY, clocks, NULL },
	{ "5.1", "dwDataRate and dwMaxDataRate in bit/s", 0, START_ANY, data_rates, NULL },
	{ "5.1", "dwMaxIFSD", 0, START_ANY, ifsd, NULL },
	{ "5.1", "dwFeatures has one level and one way to negotiate", 0, START_ANY, features,
		NULL },
	{ "5.1", "dwFeatures has what an APDU level needs", NEED_APDU, START_ANY,
		features_of_apdu_level, NULL },
	{ "5.1", "dwMaxCCIDMessageLength", 0, START_ANY, message_length, NULL },
	{ "5.1", "bPINSupport", 0, START_ANY, pin_support, NULL },
	{ "drivers", "dwProtocols has T=1", 0, START_ANY, protocol_t1, NULL },
	{ "drivers", "dwFeatures leaves the protocol to the driver", 0, START_ANY,
		features_for_drivers, NULL },
	{ "drivers", "dwMaxCCIDMessageLength: a short APDU at least, no whole packets", 0, START_ANY,
		message_length_for_drivers, NULL },
	{ "drivers", "serial number, interface name, bcdDevice", 0, START_ANY, strings, NULL },
	{ "drivers", "one alternate setting", 0, START_ANY, one_setting, NULL },
	{ "drivers", "no interfaces but readers", 0, START_ANY, only_readers, NULL },
	{ .name = NULL },
};
