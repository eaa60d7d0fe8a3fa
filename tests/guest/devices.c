/* SPDX-License-Identifier: MIT */
/*
 * What the device master grants: I/O ports, device memory, DMA memory and
 * interrupts as messages; and the limits of tasks.
 */

#include "tap.h"

#define SELF mach_task_self()
#define COM1 0x3f8
#define COM1_LINE 4
#define PIT_CHANNEL 0x42
#define LAPIC 0xfee00000UL

void *memset(void *to, int value, size_t size);

static uint8_t
in(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void
out(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* -- I/O ports ------------------------------------------------------------- */

static void
touch(mach_port_t port)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(head),
        .msgh_remote_port = port,
        .msgh_id = 1,
    };

    (void)in(PIT_CHANNEL);
    (void)mach_msg(&head, MACH_SEND_MSG, sizeof(head), 0, 0, 0, 0);
}

/* Whether a child that touches the port, after `prepare`, lives to tell. */
static bool
child_touches(mach_port_t io_perm, bool grant, bool revoke)
{
    struct {
        mach_msg_header_t head;
        mach_msg_trailer_t trailer;
        char room[64];
    } m;
    mach_port_t port = guest_port(), task, thread, previous;
    bool lives;

    task = guest_child(touch, port, &thread);
    (void)thread_suspend(thread);

    if (grant) {
        is(io_perm_modify(task, io_perm, TRUE), KERN_SUCCESS, "grant");
    }

    if (revoke) {
        is(io_perm_modify(task, io_perm, FALSE), KERN_SUCCESS, "revoke");
    }

    (void)mach_port_request_notification(SELF, task, MACH_NOTIFY_DEAD_NAME, 1,
                                         port, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                         &previous);
    (void)thread_resume(thread);
    (void)mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                   5000, 0);
    lives = m.head.msgh_id == 1;
    (void)mach_port_destroy(SELF, port);
    (void)mach_port_destroy(SELF, thread);
    (void)mach_port_destroy(SELF, task);
    return lives;
}

static void
io_ports(void)
{
    mach_port_t perm = MACH_PORT_NULL;

    is(io_perm_create(guest_device_master, PIT_CHANNEL, PIT_CHANNEL, &perm),
       KERN_SUCCESS, "a range of one port");
    ok(!child_touches(perm, false, false), "without it a task ends");
    ok(child_touches(perm, true, false), "with it, it does not");
    ok(!child_touches(perm, true, true), "nor when it was taken away again");
    is(io_perm_modify(guest_host_priv, perm, TRUE), KERN_INVALID_ARGUMENT,
       "no task");
    is(io_perm_modify(SELF, SELF, TRUE), KERN_INVALID_ARGUMENT, "no range");
    (void)mach_port_deallocate(SELF, perm);
    is(io_perm_create(guest_device_master, 10, 9, &perm), KERN_INVALID_ARGUMENT,
       "a range that ends before it begins");
    is(io_perm_create(guest_device_master, 0, 0x10000, &perm),
       KERN_INVALID_ARGUMENT, "past the last port");
    is(io_perm_create(SELF, 0, 1, &perm), KERN_INVALID_ARGUMENT,
       "only the master grants");
    is(io_perm_create(guest_host_priv, 0, 1, &perm), KERN_INVALID_ARGUMENT,
       "the host's port is not the master");
}

/* -- Memory ---------------------------------------------------------------- */

static void
device_memory(void)
{
    mach_port_t entry = MACH_PORT_NULL;
    vm_address_t address = 0;

    is(device_memory_create(guest_device_master, LAPIC, PAGE_SIZE, &entry),
       KERN_SUCCESS, "registers of a device");
    is(vm_map(SELF, &address, PAGE_SIZE, 0, VM_FLAGS_ANYWHERE, entry, 0, FALSE,
              VM_PROT_READ, VM_PROT_READ, VM_INHERIT_NONE),
       KERN_SUCCESS, "mapped");
    ok((*(volatile uint32_t *)(address + 0x30) & 0xff) != 0,
       "the interrupt controller's version");
    (void)vm_deallocate(SELF, address, PAGE_SIZE);
    (void)mach_port_deallocate(SELF, entry);
    is(device_memory_create(guest_device_master, 0x400000, PAGE_SIZE, &entry),
       KERN_INVALID_ARGUMENT, "not memory of the kernel's");
    is(device_memory_create(guest_device_master, LAPIC + 1, PAGE_SIZE, &entry),
       KERN_INVALID_ARGUMENT, "whole pages only");
    is(device_memory_create(guest_device_master, ~PAGE_MASK, 2 * PAGE_SIZE,
                            &entry),
       KERN_INVALID_ARGUMENT, "no range that wraps");
    is(device_memory_create(guest_device_master, LAPIC, 0, &entry),
       KERN_INVALID_ARGUMENT, "no empty range");
    is(device_memory_create(SELF, LAPIC, PAGE_SIZE, &entry),
       KERN_INVALID_ARGUMENT, "only the master grants");
}

static void
dma_memory(void)
{
    mach_port_t entry = MACH_PORT_NULL;
    vm_address_t address = 0;
    vm_offset_t physical = 0;

    is(device_dma_create(guest_device_master, 3 * PAGE_SIZE, &physical, &entry),
       KERN_SUCCESS, "three contiguous pages");
    ok(physical != 0 && (physical & PAGE_MASK) == 0 && physical < (1UL << 32),
       "at 0x%lx", physical);
    is(vm_map(SELF, &address, 3 * PAGE_SIZE, 0, VM_FLAGS_ANYWHERE, entry, 0,
              FALSE, VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_INHERIT_NONE),
       KERN_SUCCESS, "mapped");
    is(*(uint64_t *)(address + 2 * PAGE_SIZE), 0, "zero");
    memset((void *)address, 0x55, 3 * PAGE_SIZE);
    (void)vm_deallocate(SELF, address, 3 * PAGE_SIZE);
    (void)mach_port_deallocate(SELF, entry);
    is(device_dma_create(guest_device_master, 0, &physical, &entry),
       KERN_INVALID_ARGUMENT, "no empty range");
    ok(device_dma_create(guest_device_master, 1UL << 40, &physical, &entry) !=
           KERN_SUCCESS,
       "nor more than there is");
}

/* -- Interrupts ------------------------------------------------------------ */

struct interrupt_message {
    mach_msg_header_t head;
    natural_t tag;
    natural_t count;
    char room[64];
};

static mach_msg_return_t
wait_interrupt(mach_port_t port, struct interrupt_message *m, natural_t msec)
{
    return mach_msg(&m->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(*m),
                    port, msec, 0);
}

/* The transmitter is empty: enabling its interrupt raises it at once. */
static void
raise_interrupt(void)
{
    out(COM1 + 1, 0);
    (void)in(COM1 + 2);
    out(COM1 + 1, 2);
}

static void
interrupts(void)
{
    mach_port_t port = guest_port(), interrupt = 0, second = 0, perm = 0;
    struct interrupt_message m;
    vm_offset_t address;
    natural_t data;

    is(io_perm_create(guest_device_master, COM1, COM1 + 7, &perm), KERN_SUCCESS,
       "the serial port");
    is(io_perm_modify(SELF, perm, TRUE), KERN_SUCCESS, "is ours");
    out(COM1 + 4, 8);
    is(interrupt_create(guest_device_master, COM1_LINE, &interrupt),
       KERN_SUCCESS, "its interrupt");
    ok(interrupt_create(guest_device_master, COM1_LINE, &second) !=
           KERN_SUCCESS,
       "belongs to one");
    is(interrupt_register(interrupt, port, 4711), KERN_SUCCESS, "register");
    is(interrupt_enable(interrupt), KERN_SUCCESS, "enable");
    raise_interrupt();
    is(wait_interrupt(port, &m, 2000), MACH_MSG_SUCCESS, "a message");
    is(m.head.msgh_id, 2980, "its id");
    ok((m.head.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0, "from the kernel");
    is(m.tag, 4711, "its tag");
    ok(m.count >= 1, "how many");
    raise_interrupt();
    is(wait_interrupt(port, &m, 50), MACH_RCV_TIMED_OUT, "then it is masked");
    is(interrupt_enable(interrupt), KERN_SUCCESS, "enable");
    raise_interrupt();
    is(wait_interrupt(port, &m, 2000), MACH_MSG_SUCCESS, "the next");
    out(COM1 + 1, 0);
    is(mach_port_deallocate(SELF, interrupt), KERN_SUCCESS, "give it back");
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    is(interrupt_create(guest_device_master, COM1_LINE, &interrupt),
       KERN_SUCCESS, "so that another may have it");
    (void)mach_port_deallocate(SELF, interrupt);
    is(interrupt_create(guest_device_master, 99, &interrupt),
       KERN_INVALID_ARGUMENT, "no such line");
    is(interrupt_create(SELF, COM1_LINE, &interrupt), KERN_INVALID_ARGUMENT,
       "only the master grants");
    is(interrupt_enable(SELF), KERN_INVALID_ARGUMENT, "no interrupt");
    is(interrupt_create_msi(guest_device_master, &address, &data, &interrupt),
       KERN_SUCCESS, "an interrupt by a message");
    ok((address & 0xfff00000) == 0xfee00000 && data >= 32 && data < 256,
       "write 0x%x to 0x%lx", data, address);
    (void)mach_port_deallocate(SELF, interrupt);
    is(io_perm_modify(SELF, perm, FALSE), KERN_SUCCESS, "give the port back");
    (void)mach_port_deallocate(SELF, perm);
    (void)mach_port_destroy(SELF, port);
}

/* -- Limits ---------------------------------------------------------------- */

static void
limited_child(mach_port_t port)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(head),
        .msgh_remote_port = port,
    };
    vm_address_t address = 0;
    mach_port_t name;
    int rights = 0;

    if (vm_allocate(SELF, &address, 64 << 20, VM_FLAGS_ANYWHERE) ==
        KERN_SUCCESS) {
        head.msgh_id |= 1;
    }

    while (rights < 1000 && mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE,
                                               &name) == KERN_SUCCESS) {
        rights++;
    }

    if (rights >= 200) {
        head.msgh_id |= 2;
    }

    (void)mach_msg(&head, MACH_SEND_MSG, sizeof(head), 0, 0, 0, 0);
}

static void
limits(void)
{
    struct {
        mach_msg_header_t head;
        mach_msg_trailer_t trailer;
    } m;
    mach_port_t port = guest_port(), task, thread;

    task = guest_child(limited_child, port, &thread);
    (void)thread_suspend(thread);
    is(task_set_limits(task, 16 << 20, 200), KERN_SUCCESS, "lower limits");
    is(task_set_limits(task, 32 << 20, 0), KERN_NO_ACCESS,
       "they are not raised again");
    is(task_set_limits(task, 0, 201), KERN_NO_ACCESS, "neither of them");
    (void)thread_resume(thread);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                5000, 0),
       MACH_MSG_SUCCESS, "the task lives");
    is(m.head.msgh_id, 0, "within its limits");
    (void)mach_port_destroy(SELF, thread);
    (void)mach_port_destroy(SELF, task);
    (void)mach_port_destroy(SELF, port);
    is(task_set_limits(guest_host_priv, 1, 1), KERN_INVALID_ARGUMENT,
       "of no task");
}

static void
all(void)
{
    io_ports();
    device_memory();
    dma_memory();
    interrupts();
    limits();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "device grants and limits");
}
