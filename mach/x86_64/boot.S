/* SPDX-License-Identifier: MIT */
/*
 * From GRUB to C: the Multiboot2 header, and the way from 32-bit protected
 * mode (paging off, flat segments) to 64-bit code in the upper half.
 *
 * In:    eax = Multiboot2 magic, ebx = physical address of the boot
 *        information (Multiboot2 specification, 3.3)
 * Out:   startup(information) in C, on boot_stack, with temporary tables:
 *        the first 4 GB at 0, at DIRECT_MAP_BASE, and the first GB at
 *        KERNEL_IMAGE_BASE, in 2 MB pages
 */

#include <machine/layout.h>

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_LOADED 0x36d76289

#define PTE_PRESENT_WRITE 0x003
#define PTE_LARGE 0x083

#define CR0_PG_WP_PE 0x80010001
#define CR4_PAE_PGE 0x000000a0
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x00000901 /* SCE too */

        .section .boot.header, "a"
        .balign 8
header:
        .long MULTIBOOT2_MAGIC
        .long 0 /* i386 protected mode */
        .long header_end - header
        .long -(MULTIBOOT2_MAGIC + (header_end - header))
        /* modules on page boundaries */
        .balign 8
        .word 6, 0
        .long 8
        /* end */
        .balign 8
        .word 0, 0
        .long 8
header_end:

        .section .boot.text, "ax"
        .code32
        .globl boot_entry
boot_entry:
        cli
        cld
        cmpl    $MULTIBOOT2_LOADED, %eax
        jne     boot_halt

        /* Does the processor know long mode and NX? */
        movl    %ebx, %edi
        movl    $0x80000001, %eax
        cpuid
        andl    $0x20100000, %edx
        cmpl    $0x20100000, %edx
        jne     boot_halt

        /* Four page directories map 4 GB. */
        movl    $boot_directories, %ebx
        xorl    %ecx, %ecx
        movl    $PTE_LARGE, %eax
1:      movl    %eax, (%ebx,%ecx,8)
        addl    $0x200000, %eax
        incl    %ecx
        cmpl    $2048, %ecx
        jne     1b

        movl    $(boot_directories + PTE_PRESENT_WRITE), %eax
        movl    %eax, boot_pdpt_low
        movl    %eax, boot_pdpt_high + 510 * 8
        addl    $0x1000, %eax
        movl    %eax, boot_pdpt_low + 8
        addl    $0x1000, %eax
        movl    %eax, boot_pdpt_low + 16
        addl    $0x1000, %eax
        movl    %eax, boot_pdpt_low + 24

        movl    $(boot_pdpt_low + PTE_PRESENT_WRITE), %eax
        movl    %eax, boot_pml4
        movl    %eax, boot_pml4 + 256 * 8
        movl    $(boot_pdpt_high + PTE_PRESENT_WRITE), %eax
        movl    %eax, boot_pml4 + 511 * 8

        movl    $CR4_PAE_PGE, %eax
        movl    %eax, %cr4
        movl    $boot_pml4, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        movl    $EFER_LME_NXE, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $CR0_PG_WP_PE, %eax
        movl    %eax, %cr0
        lgdt    boot_gdt_pointer
        ljmp    $KERNEL_CODE_SELECTOR, $boot_long

boot_halt:
        movb    $0x21, %al /* '!': all that can be said here */
        outb    %al, $0xe9
1:      hlt
        jmp     1b

        .code64
boot_long:
        movl    $KERNEL_DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movabsq $boot_stack_top, %rsp
        xorl    %ebp, %ebp
        movl    %edi, %edi
        movabsq $startup, %rax
        call    *%rax
1:      hlt
        jmp     1b

        .section .boot.data, "aw"
        .balign 4096
boot_pml4:
        .fill 512, 8, 0
boot_pdpt_low:
        .fill 512, 8, 0
boot_pdpt_high:
        .fill 512, 8, 0
boot_directories:
        .fill 4 * 512, 8, 0

        .balign 8
boot_gdt:
        .quad 0
        .quad 0x00af9b000000ffff /* 64-bit code */
        .quad 0x00cf93000000ffff /* data */
boot_gdt_pointer:
        .word boot_gdt_pointer - boot_gdt - 1
        .quad boot_gdt

        .bss
        .balign 4096
        .globl boot_stack
boot_stack:
        .fill KERNEL_STACK_SIZE, 1, 0
        .globl boot_stack_top
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
