/* SPDX-License-Identifier: MIT */
/*
 * Rights are numbers, regions are blocks of memory of exactly their size, so
 * that the address sanitizer guards them. What the stubs and libmach's own
 * mach_msg_destroy() call to release either ends here and is counted.
 */

#include <stdlib.h>
#include <string.h>

#include <mach/mach_init.h>
#include <mach/mach_traps.h>

#include "engine.h"

#define LEDGER_RIGHTS_MAX 65536u
#define LEDGER_REGIONS_MAX 4096u
#define LEDGER_FIRST_NAME 0x100003u
#define LEDGER_NAME_STEP 4u

static struct ledger_right ledger_rights[LEDGER_RIGHTS_MAX];
static unsigned int ledger_right_count;
static struct ledger_region ledger_regions[LEDGER_REGIONS_MAX];
static unsigned int ledger_region_count;
static unsigned int ledger_first_right;
static unsigned int ledger_first_region;
static unsigned int ledger_request_rights;
static unsigned int ledger_request_regions;
static bool ledger_lenient;
static bool ledger_keep;
unsigned int ledger_destroyed;
bool ledger_undeliverable;

mach_port_t mach_task_self_ = 0x103;

void libmach_mach_msg_destroy(mach_msg_header_t *msg);
void mach_msg_destroy_from_kernel(mach_msg_header_t *msg);

void
ledger_reset(void)
{
    struct ledger_region *region;

    for (unsigned int i = 0; i < ledger_region_count; i++) {
        region = &ledger_regions[i];

        if (region->released == 0 || ledger_keep) {
            free((void *)(uintptr_t)region->address);
        }
    }

    ledger_keep = false;
    ledger_first_right = 0;
    ledger_first_region = 0;
    ledger_request_rights = 0;
    ledger_request_regions = 0;
    memset(ledger_rights, 0, ledger_right_count * sizeof(ledger_rights[0]));
    memset(ledger_regions, 0, ledger_region_count * sizeof(ledger_regions[0]));
    ledger_right_count = 0;
    ledger_region_count = 0;
    ledger_lenient = false;
    ledger_destroyed = 0;
    ledger_undeliverable = false;
}

void
ledger_set_lenient(bool lenient)
{
    ledger_lenient = lenient;
}

void
ledger_set_keep(bool keep)
{
    ledger_keep = keep;
}

mach_port_t
ledger_new_right(unsigned int kind)
{
    unsigned int index = ledger_right_count;

    if (index == LEDGER_RIGHTS_MAX) {
        abort();
    }

    ledger_right_count++;
    ledger_rights[index].kind = kind;
    return LEDGER_FIRST_NAME + index * LEDGER_NAME_STEP;
}

uint64_t
ledger_new_region(uint32_t size)
{
    struct ledger_region *region;
    void *memory;

    if (size == 0) {
        return 0;
    }

    memory = malloc(size);

    if (memory == NULL || ledger_region_count == LEDGER_REGIONS_MAX) {
        abort();
    }

    engine_fill(memory, size);
    region = &ledger_regions[ledger_region_count];
    ledger_region_count++;
    region->address = (uintptr_t)memory;
    region->size = size;
    return region->address;
}

struct ledger_right *
ledger_right(mach_port_t name)
{
    uint32_t index = (name - LEDGER_FIRST_NAME) / LEDGER_NAME_STEP;

    if (name % LEDGER_NAME_STEP == LEDGER_FIRST_NAME % LEDGER_NAME_STEP &&
        index < ledger_right_count) {
        return &ledger_rights[index];
    }

    if (!ledger_lenient) {
        complain("right 0x%x is none of the test's", name);
    }

    return NULL;
}

struct ledger_region *
ledger_region(uint64_t address)
{
    for (unsigned int i = ledger_region_count; i > 0; i--) {
        if (ledger_regions[i - 1].address == address) {
            return &ledger_regions[i - 1];
        }
    }

    if (!ledger_lenient) {
        complain("region 0x%llx is none of the test's",
                 (unsigned long long)address);
    }

    return NULL;
}

/* What was made until now has nothing to do with the message. */
void
ledger_begin_message(void)
{
    ledger_first_right = ledger_right_count;
    ledger_first_region = ledger_region_count;
}

/* What was made until now came with it. */
void
ledger_begin_results(void)
{
    ledger_request_rights = ledger_right_count;
    ledger_request_regions = ledger_region_count;
}

/* The request is whole again, and there are no results. */
void
ledger_revive(void)
{
    struct ledger_right *right;
    struct ledger_region *region;

    for (unsigned int i = ledger_request_regions; i < ledger_region_count;
         i++) {
        region = &ledger_regions[i];
        free((void *)(uintptr_t)region->address);
        memset(region, 0, sizeof(*region));
    }

    memset(&ledger_rights[ledger_request_rights], 0,
           (ledger_right_count - ledger_request_rights) *
               sizeof(ledger_rights[0]));
    ledger_right_count = ledger_request_rights;
    ledger_region_count = ledger_request_regions;

    for (unsigned int i = 0; i < ledger_right_count; i++) {
        right = &ledger_rights[i];
        right->taken = right->released = right->sent = 0;
    }

    for (unsigned int i = 0; i < ledger_region_count; i++) {
        region = &ledger_regions[i];
        region->taken = region->released = region->sent = 0;
    }

    ledger_destroyed = 0;
}

void
ledger_expect_request(bool taken, mach_port_t reply)
{
    const struct ledger_right *right;
    const struct ledger_region *region;

    for (unsigned int i = ledger_first_right; i < ledger_request_rights; i++) {
        right = &ledger_rights[i];

        if (LEDGER_FIRST_NAME + i * LEDGER_NAME_STEP != reply &&
            (right->taken != taken || right->released != !taken ||
             right->sent != 0)) {
            complain("right %u of kind %u: taken %u times, released %u, "
                     "sent %u",
                     i, right->kind, right->taken, right->released,
                     right->sent);
        }
    }

    for (unsigned int i = ledger_first_region; i < ledger_request_regions;
         i++) {
        region = &ledger_regions[i];

        if (region->sent != 0 ||
            (region->automatic
                 ? region->taken != 0 || region->released != 1
                 : region->taken != taken || region->released != !taken)) {
            complain("region %u of %u bytes: taken %u times, released %u", i,
                     region->size, region->taken, region->released);
        }
    }
}

void
ledger_expect_results(bool delivered)
{
    const struct ledger_right *right;
    const struct ledger_region *region;

    for (unsigned int i = ledger_request_rights; i < ledger_right_count; i++) {
        right = &ledger_rights[i];

        if (right->sent != (right->moved && delivered) ||
            right->released != (right->moved && !delivered)) {
            complain("right %u of the results: sent %u times, released %u", i,
                     right->sent, right->released);
        }
    }

    for (unsigned int i = ledger_request_regions; i < ledger_region_count;
         i++) {
        region = &ledger_regions[i];

        if (region->sent != (region->moved && delivered) ||
            region->released != (region->moved && !delivered)) {
            complain("region %u of the results: sent %u times, released %u", i,
                     region->sent, region->released);
        }
    }
}

void
ledger_expect_reply_right(mach_port_t reply, bool sent)
{
    const struct ledger_right *right = ledger_right(reply);

    if (right == NULL || right->taken != 0 || right->sent != sent ||
        right->released != !sent) {
        complain("the right to reply was not used just once");
    }
}

void
ledger_expect_taken(mach_port_t reply)
{
    const struct ledger_right *right = ledger_right(reply);

    if (right == NULL || right->taken != 1 || right->sent != 0 ||
        right->released != 0) {
        complain("the right to reply was not taken just once");
    }
}

static void
ledger_release(mach_port_t name, bool receive)
{
    struct ledger_right *right = ledger_right(name);

    if (right == NULL) {
        return;
    }

    if (!ledger_lenient &&
        receive != (right->kind == MACH_MSG_TYPE_PORT_RECEIVE)) {
        complain("a right of kind %u is released as another", right->kind);
    }

    right->released++;
}

kern_return_t
syscall_mach_port_deallocate(mach_port_name_t task, mach_port_name_t name)
{
    (void)task;
    ledger_release(name, false);
    return KERN_SUCCESS;
}

kern_return_t
syscall_mach_port_mod_refs(mach_port_name_t task, mach_port_name_t name,
                           mach_port_right_t right, mach_port_delta_t delta)
{
    (void)task;

    if (right != MACH_PORT_RIGHT_RECEIVE || delta != -1) {
        complain("mod_refs of right %u by %d", right, delta);
    }

    ledger_release(name, true);
    return KERN_SUCCESS;
}

kern_return_t
mig_allocate(vm_address_t *addressp, vm_size_t size)
{
    (void)addressp;
    (void)size;
    return KERN_RESOURCE_SHORTAGE;
}

char *
mig_user_allocate(vm_size_t size)
{
    return malloc(size);
}

void
mig_user_deallocate(char *address, vm_size_t size)
{
    (void)size;
    free(address);
}

void
mig_deallocate(vm_address_t address, vm_size_t size)
{
    struct ledger_region *region;

    if (size == 0) {
        return;
    }

    region = ledger_region(address);

    if (region == NULL) {
        return;
    }

    if (region->size != size && !ledger_lenient) {
        complain("%llu bytes of a region of %u are freed",
                 (unsigned long long)size, region->size);
    }

    if (region->released == 0 && !ledger_keep) {
        free((void *)(uintptr_t)address);
    }

    region->released++;
}

void
mach_msg_destroy(mach_msg_header_t *msg)
{
    ledger_destroyed++;

    if (!ledger_undeliverable) {
        libmach_mach_msg_destroy(msg);
    }
}

void
mach_msg_destroy_from_kernel(mach_msg_header_t *msg)
{
    mach_msg_destroy(msg);
}

static void
ledger_send_right(mach_port_t name, unsigned int disposition)
{
    struct ledger_right *right;

    if (!MACH_PORT_VALID(name) ||
        (disposition != MACH_MSG_TYPE_MOVE_RECEIVE &&
         disposition != MACH_MSG_TYPE_MOVE_SEND &&
         disposition != MACH_MSG_TYPE_MOVE_SEND_ONCE)) {
        return;
    }

    right = ledger_right(name);

    if (right != NULL) {
        right->sent++;
    }
}

static void
ledger_send_region(uint64_t address, bool moved)
{
    struct ledger_region *region;

    if (!moved || address == 0) {
        return;
    }

    region = ledger_region(address);

    if (region != NULL) {
        region->sent++;
    }
}

static const uint8_t *
ledger_send_descriptor(const uint8_t *at)
{
    const mach_msg_descriptor_t *descriptor = (const void *)at;
    const mach_msg_ool_ports_descriptor_t *ports;
    const mach_port_t *names;

    switch (descriptor->type.type) {
    case MACH_MSG_PORT_DESCRIPTOR:
        ledger_send_right(descriptor->port.name, descriptor->port.disposition);
        return at + sizeof(descriptor->port);
    case MACH_MSG_OOL_PORTS_DESCRIPTOR:
        ports = &descriptor->ool_ports;
        names = (const mach_port_t *)(uintptr_t)ports->address;

        for (uint32_t i = 0; i < ports->count; i++) {
            ledger_send_right(names[i], ports->disposition);
        }

        ledger_send_region(ports->address, ports->deallocate);
        return at + sizeof(*ports);
    default:
        ledger_send_region(descriptor->out_of_line.address,
                           descriptor->out_of_line.deallocate);
        return at + sizeof(descriptor->out_of_line);
    }
}

void
ledger_send(const mach_msg_header_t *msg)
{
    const mach_msg_base_t *base = (const void *)msg;
    const uint8_t *at = (const uint8_t *)(base + 1);

    ledger_send_right(msg->msgh_remote_port,
                      MACH_MSGH_BITS_REMOTE(msg->msgh_bits));

    if (ledger_undeliverable || !MACH_MSGH_BITS_IS_COMPLEX(msg->msgh_bits)) {
        return;
    }

    for (uint32_t i = 0; i < base->body.msgh_descriptor_count; i++) {
        at = ledger_send_descriptor(at);
    }
}
