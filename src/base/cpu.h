// What the processor offers and the operating system saves, as far as the kernels of a BLAS ask for it.
#ifndef TG_BASE_CPU_H
#define TG_BASE_CPU_H

#include <stdint.h>

// X(name, flag of /proc/cpuinfo, register of tg_cpuid, bit). Those from `avx` on need registers that the operating
// system must save: tg_cpu_decode drops them where it does not.
#define TG_CPU_FEATURES(X)                    \
  X(SSE3, "pni", leaf1_ecx, 0)                \
  X(SSSE3, "ssse3", leaf1_ecx, 9)             \
  X(SSE42, "sse4_2", leaf1_ecx, 20)           \
  X(MOVBE, "movbe", leaf1_ecx, 22)            \
  X(POPCNT, "popcnt", leaf1_ecx, 23)          \
  X(BMI1, "bmi1", leaf7_ebx, 3)               \
  X(BMI2, "bmi2", leaf7_ebx, 8)               \
  X(LZCNT, "abm", extended1_ecx, 5)           \
  X(AVX, "avx", leaf1_ecx, 28)                \
  X(FMA, "fma", leaf1_ecx, 12)                \
  X(F16C, "f16c", leaf1_ecx, 29)              \
  X(AVX2, "avx2", leaf7_ebx, 5)               \
  X(AVX512F, "avx512f", leaf7_ebx, 16)        \
  X(AVX512DQ, "avx512dq", leaf7_ebx, 17)      \
  X(AVX512CD, "avx512cd", leaf7_ebx, 28)      \
  X(AVX512BW, "avx512bw", leaf7_ebx, 30)      \
  X(AVX512VL, "avx512vl", leaf7_ebx, 31)      \
  X(AVX512VNNI, "avx512_vnni", leaf7_ecx, 11) \
  X(AVX512BF16, "avx512_bf16", leaf7_1_eax, 5)

enum {
#define TG_CPU_INDEX(name, flag, word, bit) TG_CPU_INDEX_##name,
  TG_CPU_FEATURES(TG_CPU_INDEX)
#undef TG_CPU_INDEX
      TG_CPU_FEATURE_COUNT
};

typedef uint32_t tg_cpu; // a set of features

enum {
#define TG_CPU_BIT(name, flag, word, bit) TG_CPU_##name = 1 << TG_CPU_INDEX_##name,
  TG_CPU_FEATURES(TG_CPU_BIT)
#undef TG_CPU_BIT
};

// Registers of the instructions cpuid and xgetbv; zero where the processor has no such leaf.
typedef struct tg_cpuid {
  uint32_t leaf1_ecx;
  uint32_t leaf7_ebx;
  uint32_t leaf7_ecx;
  uint32_t leaf7_1_eax;
  uint32_t extended1_ecx; // leaf 0x80000001
  uint64_t saved;         // XCR0: the register states that the operating system saves
} tg_cpuid;

tg_cpu tg_cpu_decode(const tg_cpuid *id);
// This processor's; the empty set where it is no x86-64.
tg_cpu tg_cpu_get(void);
// The widest arithmetic in double precision: "AVX-512 with BF16", "AVX2 with FMA", "AVX", "SSE4.2", "SSE3", "unknown".
const char *tg_cpu_label(tg_cpu cpu);
// Additions and multiplications in double precision that a core with these features does in a cycle, at the least.
// 0: unknown.
double tg_cpu_flops_per_cycle(tg_cpu cpu);

#endif
