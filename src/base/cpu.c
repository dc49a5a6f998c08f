// Features of the processor by cpuid, and which of them the operating system supports.
#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum {
  ANY_AVX512 = TG_CPU_AVX512F | TG_CPU_AVX512DQ | TG_CPU_AVX512CD | TG_CPU_AVX512BW | TG_CPU_AVX512VL |
               TG_CPU_AVX512VNNI | TG_CPU_AVX512BF16,
  ANY_AVX = TG_CPU_AVX | TG_CPU_FMA | TG_CPU_F16C | TG_CPU_AVX2 | ANY_AVX512
};

tg_cpu tg_cpu_decode(const tg_cpuid *id)
{
  // Bits of XCR0: 1 and 2 the lower and upper halves of the AVX registers, 5 to 7 masks and AVX-512 registers.
  enum { OS_USES_XSAVE = 1 << 27, AVX_STATE = 0x06, AVX512_STATE = 0xE6 };
  tg_cpu cpu = 0;
#define TG_CPU_READ(name, flag, word, bit) \
  if ((id->word >> (bit)) & 1U) cpu |= TG_CPU_##name;
  TG_CPU_FEATURES(TG_CPU_READ)
#undef TG_CPU_READ
  const uint64_t saved = (id->leaf1_ecx & OS_USES_XSAVE) != 0 ? id->saved : 0;
  if ((saved & AVX_STATE) != AVX_STATE) cpu &= ~(tg_cpu)ANY_AVX;
  if ((saved & AVX512_STATE) != AVX512_STATE) cpu &= ~(tg_cpu)ANY_AVX512;
  return cpu;
}

#if defined(__x86_64__)
static uint64_t read_xcr0(void)
{
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

tg_cpu tg_cpu_get(void)
{
  tg_cpuid id = {0};
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
  uint32_t d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return 0;
  id.leaf1_ecx = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    const uint32_t last = a;
    id.leaf7_ebx = b;
    id.leaf7_ecx = c;
    if (last >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) id.leaf7_1_eax = a;
  }
  if (__get_cpuid(0x80000001U, &a, &b, &c, &d) != 0) id.extended1_ecx = c;
  // xgetbv is an illegal instruction where the operating system has not said that it saves registers this way.
  if ((id.leaf1_ecx >> 27) & 1U) id.saved = read_xcr0();
  return tg_cpu_decode(&id);
}
#else
tg_cpu tg_cpu_get(void)
{
  return 0;
}
#endif

static bool has(tg_cpu cpu, tg_cpu wanted)
{
  return (cpu & wanted) == wanted;
}

const char *tg_cpu_label(tg_cpu cpu)
{
  if (has(cpu, TG_CPU_AVX512F | TG_CPU_AVX512BF16)) return "AVX-512 with BF16";
  if (has(cpu, TG_CPU_AVX512F)) return "AVX-512";
  if (has(cpu, TG_CPU_AVX2 | TG_CPU_FMA)) return "AVX2 with FMA";
  if (has(cpu, TG_CPU_AVX)) return "AVX";
  if (has(cpu, TG_CPU_SSE42)) return "SSE4.2";
  return has(cpu, TG_CPU_SSE3) ? "SSE3" : "unknown";
}

double tg_cpu_flops_per_cycle(tg_cpu cpu)
{
  // One unit of 512 bits or two of 256, with fused operations; an addition and a multiplication of 256 bits; of 128.
  if (has(cpu, TG_CPU_AVX2 | TG_CPU_FMA)) return 16;
  if (has(cpu, TG_CPU_AVX)) return 8;
  return has(cpu, TG_CPU_SSE3) ? 4 : 0;
}
