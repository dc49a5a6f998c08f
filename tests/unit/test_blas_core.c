// The kernels of OpenBLAS for processors young and old, and the restarts that lead to them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/blas_core.h"

// ---- processors, by the flags that Linux shows ----

#define V2       "pni ssse3 sse4_1 sse4_2 popcnt cx16 "
#define V3       V2 "avx f16c fma avx2 bmi1 bmi2 abm movbe "
#define SKYLAKE  V3 "avx512f avx512dq avx512cd avx512bw avx512vl "
#define ICELAKE  SKYLAKE "avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq "
#define SAPPHIRE ICELAKE "avx_vnni avx512_bf16 avx512_fp16 amx_bf16 amx_tile amx_int8 "

typedef struct part {
  const char *name;
  const char *flags;
  const char *best;
} part;

static const part parts[] = {
    {"Pentium 4, 2004", "pni ", "Prescott"},
    {"Opteron of 2003, without SSE3", "", NULL},
    {"Core 2, 2006", "pni ssse3 cx16 ", "Prescott"},
    {"Phenom II, 2009: SSE4a", "pni cx16 popcnt abm sse4a ", "Prescott"},
    {"Xeon Nehalem, 2008", V2, "Nehalem"},
    {"Xeon Sandy Bridge, 2011", V2 "avx ", "Sandybridge"},
    {"Xeon Ivy Bridge, 2012", V2 "avx f16c ", "Sandybridge"},
    {"Opteron Bulldozer, 2011: FMA4", V2 "avx abm fma4 xop ", "Sandybridge"},
    {"Opteron Piledriver, 2012: FMA, no AVX2", V2 "avx abm fma4 fma f16c bmi1 ", "Sandybridge"},
    {"Xeon Haswell, 2014", V3, "Haswell"},
    {"EPYC Rome, Zen 2, 2019", V3 "sse4a clwb ", "Haswell"},
    {"Xeon Phi, 2016: other AVX-512", V3 "avx512f avx512cd avx512er avx512pf ", "Haswell"},
    {"Xeon Skylake, 2017", SKYLAKE, "SkylakeX"},
    {"Xeon Cascade Lake, 2019", SKYLAKE "avx512_vnni ", "SkylakeX"},
    {"Xeon Cooper Lake, 2020", SKYLAKE "avx512_vnni avx512_bf16 ", "Cooperlake"},
    {"Xeon Ice Lake, 2021: no BF16", ICELAKE, "SkylakeX"},
    {"Xeon Sapphire Rapids, 2023", SAPPHIRE, "Cooperlake"},
    {"Xeon Emerald Rapids, 2023", SAPPHIRE, "Cooperlake"},
    {"EPYC Genoa, Zen 4, 2022", ICELAKE "avx512_bf16 sse4a ", "Cooperlake"},
    {"EPYC Turin, Zen 5, 2024", ICELAKE "avx512_bf16 avx_vnni avx512_vp2intersect sse4a ", "Cooperlake"},
    {"Core Alder Lake, 2021: AVX-512 off", V3 "avx_vnni ", "Haswell"},
    {"a virtual machine of the kind x86-64-v2", V2, "Nehalem"},
    {"a virtual machine that hides FMA", V2 "avx f16c avx2 bmi1 bmi2 abm movbe ", "Sandybridge"},
    {"a virtual machine that hides AVX-512VL", V3 "avx512f avx512dq avx512cd avx512bw ", "Haswell"},
    {"a virtual machine that hides BMI2",
     V2 "avx f16c fma avx2 bmi1 abm movbe avx512f avx512dq avx512cd avx512bw avx512vl ", "Haswell"},
    {"qemu64", "pni cx16 ", "Prescott"},
};

enum { N_PARTS = sizeof parts / sizeof parts[0] };

static bool has_flag(const char *flags, const char *flag)
{
  const size_t length = strlen(flag);
  for (const char *at = flags; (at = strstr(at, flag)) != NULL; at += length)
    if ((at == flags || at[-1] == ' ') && at[length] == ' ') return true;
  return false;
}

enum { OS_USES_XSAVE = 1 << 27 };
static const uint64_t saves_sse = 0x3;
static const uint64_t saves_avx = 0x7;
static const uint64_t saves_avx512 = 0xE7;

// What cpuid says on such a processor.
static tg_cpuid registers_of(const char *flags, uint64_t saved)
{
  tg_cpuid id = {.leaf1_ecx = OS_USES_XSAVE, .saved = saved};
#define SET(name, flag, word, bit) \
  if (has_flag(flags, flag)) id.word |= 1U << (bit);
  TG_CPU_FEATURES(SET)
#undef SET
  return id;
}

static tg_cpu cpu_of(const char *flags)
{
  const tg_cpuid id = registers_of(flags, saves_avx512);
  return tg_cpu_decode(&id);
}

static void assert_name(const char *found, const char *expected, const char *where)
{
  if (found == NULL || expected == NULL) {
    if (found != expected)
      fail_msg("%s: found %s, expected %s", where, found ? found : "none", expected ? expected : "none");
    return;
  }
  if (strcmp(found, expected) != 0) fail_msg("%s: found %s, expected %s", where, found, expected);
}

static void test_best(void **unused)
{
  (void)unused;
  for (int k = 0; k < N_PARTS; k++)
    assert_name(tg_blas_core_best(cpu_of(parts[k].flags)), parts[k].best, parts[k].name);
}

// Registers that the operating system does not save are not there.
static void test_operating_system(void **unused)
{
  (void)unused;
  const tg_cpuid avx = registers_of(SAPPHIRE, saves_avx);
  assert_name(tg_blas_core_best(tg_cpu_decode(&avx)), "Haswell", "AVX-512 is not saved");
  const tg_cpuid sse = registers_of(SAPPHIRE, saves_sse);
  assert_name(tg_blas_core_best(tg_cpu_decode(&sse)), "Nehalem", "AVX is not saved");
  tg_cpuid none = registers_of(SAPPHIRE, saves_avx512);
  none.leaf1_ecx &= ~(uint32_t)OS_USES_XSAVE;
  assert_name(tg_blas_core_best(tg_cpu_decode(&none)), "Nehalem", "xgetbv is not allowed");
  assert_string_equal(tg_cpu_label(tg_cpu_decode(&avx)), "AVX2 with FMA");
  assert_true(tg_cpu_flops_per_cycle(tg_cpu_decode(&sse)) == 4.0);
}

// ---- libraries ----

typedef struct library {
  const char *name;
  const char *natural; // its own choice
  const char *cores;   // that it has; another one asked for gives `fallback`
  const char *fallback;
  const char *wrong; // those that compute wrongly here
  bool is_fixed;     // one core, whatever is asked for
} library;

#define OLD_CORES "Prescott Core2 Nehalem Sandybridge Haswell Zen SkylakeX Cooperlake "

typedef struct scene {
  const char *flags;
  const char *user; // OPENBLAS_CORETYPE as the user has set it
  library library;
  const char *runs; // NULL: nothing computes rightly
  int restarts;
} scene;

static const scene scenes[] = {
    // A library that does not know a young processor, whose own choice is ...
    {SAPPHIRE, NULL, {"0.3.21, Xeon", "Prescott", OLD_CORES, "Prescott", "", false}, "Cooperlake", 1},
    {SAPPHIRE, NULL, {"0.3.21, Zen 5", "Zen", OLD_CORES, "Prescott", "", false}, "Cooperlake", 1},
    {V3, NULL, {"0.3.10, Alder Lake", "Prescott", OLD_CORES, "Prescott", "", false}, "Haswell", 1},
    {V2, NULL, {"a virtual machine", "Prescott", OLD_CORES, "Prescott", "", false}, "Nehalem", 1},
    // ... one that knows it, or knows more than we do.
    {SAPPHIRE,
     NULL,
     {"0.3.28", "SapphireRapids", OLD_CORES "SapphireRapids ", "Prescott", "", false},
     "SapphireRapids",
     0},
    {SAPPHIRE, NULL, {"SkylakeX will do", "SkylakeX", OLD_CORES, "Prescott", "", false}, "SkylakeX", 0},
    {SAPPHIRE,
     NULL,
     {"the future", "DiamondRapids", OLD_CORES "DiamondRapids ", "Prescott", "", false},
     "DiamondRapids",
     0},
    {V3, NULL, {"Zen 3", "Zen", OLD_CORES, "Prescott", "", false}, "Zen", 0},
    {V3, NULL, {"Haswell", "Haswell", OLD_CORES, "Prescott", "", false}, "Haswell", 0},
    {"pni ssse3 ", NULL, {"Core 2", "Core2", OLD_CORES, "Prescott", "", false}, "Core2", 0},
    {"", NULL, {"no features known", "Prescott", OLD_CORES, "Prescott", "", false}, "Prescott", 0},
    // Cores that the library was built without.
    {SAPPHIRE,
     NULL,
     {"before Cooper Lake", "Prescott", "Prescott Haswell SkylakeX ", "Prescott", "", false},
     "SkylakeX",
     2},
    {SAPPHIRE, NULL, {"no AVX-512", "Prescott", "Prescott Nehalem Haswell ", "Prescott", "", false}, "Haswell", 3},
    {SAPPHIRE, NULL, {"Prescott alone", "Prescott", "Prescott ", "Prescott", "", false}, "Prescott", 6},
    {V2 "avx ",
     NULL,
     {"falls back to the newest", "Prescott", "Prescott Nehalem Cooperlake ", "Cooperlake", "", false},
     "Nehalem",
     2},
    {SAPPHIRE, NULL, {"built for one", "Haswell", "Haswell ", "Haswell", "", true}, "Haswell", 0},
    // The user's word counts, unless it ends the program.
    {SAPPHIRE, "Haswell", {"user", "Prescott", OLD_CORES, "Prescott", "", false}, "Haswell", 0},
    {SAPPHIRE, "Prescott", {"user", "Prescott", OLD_CORES, "Prescott", "", false}, "Prescott", 0},
    {V3, "SkylakeX", {"user without AVX-512", "Haswell", OLD_CORES, "Prescott", "", false}, "Haswell", 1},
    {V2, "SkylakeX", {"user without AVX", "Prescott", OLD_CORES, "Prescott", "", false}, "Nehalem", 1},
    {V3, "nonsense", {"user", "Haswell", OLD_CORES, "Cooperlake", "", false}, "Haswell", 1},
    // Cores that compute wrongly.
    {SAPPHIRE, NULL, {"wrong", "Prescott", OLD_CORES, "Prescott", "Cooperlake ", false}, "SkylakeX", 2},
    {SAPPHIRE, NULL, {"wrong", "Prescott", OLD_CORES, "Prescott", "Cooperlake SkylakeX ", false}, "Haswell", 3},
    {SAPPHIRE, NULL, {"wrong", "SkylakeX", OLD_CORES, "Prescott", "SkylakeX ", false}, "Cooperlake", 1},
    {SAPPHIRE,
     NULL,
     {"wrong", "Prescott", OLD_CORES, "Prescott", "Cooperlake SkylakeX Haswell Sandybridge Nehalem ", false},
     "Prescott",
     6},
    {V3, NULL, {"wrong", "Zen", OLD_CORES, "Prescott", "Zen Haswell ", false}, "Sandybridge", 2},
    {SAPPHIRE, "Haswell", {"user's is wrong", "Prescott", OLD_CORES, "Prescott", "Haswell ", false}, "Cooperlake", 1},
    {SAPPHIRE, NULL, {"all wrong", "Prescott", OLD_CORES, "Prescott", OLD_CORES, false}, NULL, 5},
    {SAPPHIRE, "Zen", {"all wrong", "Zen", OLD_CORES, "Prescott", OLD_CORES, false}, NULL, 7},
    {SAPPHIRE, NULL, {"wrong and fixed", "Haswell", "Haswell ", "Haswell", "Haswell ", true}, NULL, 0},
};

enum { N_SCENES = sizeof scenes / sizeof scenes[0], RESTARTS_MAX = 12 };

// What the library loads for a value of the variable.
static const char *load(const library *at, const char *wanted)
{
  if (wanted == NULL || at->is_fixed) return at->natural;
  return has_flag(at->cores, wanted) || has_flag(at->natural, wanted) ? wanted : at->fallback;
}

// A chain of programs as exec makes it: the environment is all that one has of the one before.
static const char *play(const scene *s, int *restarts, char *environment, size_t capacity)
{
  const char *wanted = s->user;
  environment[0] = '\0';
  for (*restarts = 0; *restarts < RESTARTS_MAX; (*restarts)++) {
    tg_blas_record earlier;
    tg_blas_record record;
    const char *core = NULL;
    const bool has_record = *restarts > 0;
    if (has_record) assert_true(tg_blas_record_parse(environment, &earlier));
    const char *loaded = load(&s->library, wanted);
    const tg_blas_state state = {.cpu = cpu_of(s->flags),
                                 .loaded = loaded,
                                 .wanted = wanted,
                                 .record = has_record ? &earlier : NULL,
                                 .can_choose = !s->library.is_fixed,
                                 .is_wrong = has_flag(s->library.wrong, loaded)};
    const tg_blas_step step = tg_blas_core_decide(&state, &record, &core);
    if (step == TG_BLAS_KEEP) return loaded;
    if (step == TG_BLAS_FAIL) return NULL;
    tg_text text;
    tg_text_init(&text);
    tg_blas_record_print(&record, &text);
    snprintf(environment, capacity, "%s", tg_text_string(&text));
    tg_text_fini(&text);
    wanted = core[0] != '\0' ? core : NULL;
  }
  fail_msg("%s: restarts without end", s->library.name);
  return NULL;
}

static void test_scenes(void **unused)
{
  (void)unused;
  for (int k = 0; k < N_SCENES; k++) {
    char environment[256];
    int restarts = 0;
    const char *runs = play(&scenes[k], &restarts, environment, sizeof environment);
    char where[512];
    snprintf(where, sizeof where, "scene %d, %s (%s)", k, scenes[k].library.name, environment);
    assert_name(runs, scenes[k].runs, where);
    if (restarts != scenes[k].restarts) fail_msg("%s: %d restarts, expected %d", where, restarts, scenes[k].restarts);
  }
}

// Every processor with every library that has a subset of the cores, some of them wrong: the chain ends, and what runs
// computes rightly and has its instructions.
static void test_all_chains(void **unused)
{
  (void)unused;
  static const char *const names[] = {"Prescott", "Nehalem", "Sandybridge", "Haswell", "SkylakeX", "Cooperlake"};
  enum { N = 6 };
  for (int p = 0; p < N_PARTS; p++) {
    for (unsigned sets = 0; sets < 1U << (2 * N); sets++) {
      char cores[128] = "";
      char wrong[128] = "";
      for (int k = 0; k < N; k++) {
        if ((sets >> k) & 1U) strcat(strcat(cores, names[k]), " ");
        if ((sets >> (N + k)) & 1U) strcat(strcat(wrong, names[k]), " ");
      }
      const scene s = {parts[p].flags,
                       NULL,
                       {"a subset", "Prescott", cores, sets % 3 == 0 ? "Cooperlake" : "Prescott", wrong, false},
                       NULL,
                       0};
      char environment[256];
      int restarts = 0;
      const char *runs = play(&s, &restarts, environment, sizeof environment);
      if (runs == NULL) {
        assert_true(has_flag(wrong, "Prescott"));
      } else {
        assert_false(has_flag(wrong, runs));
        if (strcmp(runs, "Prescott") != 0) assert_true(tg_blas_core_fits(runs, cpu_of(parts[p].flags)));
      }
    }
  }
}

static void test_records(void **unused)
{
  (void)unused;
  static const char *const bad[] = {"Prescott,",
                                    "Prescott,Haswell",
                                    "Prescott,!",
                                    "Pres cott,Haswell!",
                                    "%s%n",
                                    "Prescott!?,",
                                    "a-name-that-is-longer-than-any-core-has-ever-had"};
  tg_blas_record record;
  for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) assert_false(tg_blas_record_parse(bad[k], &record));
  assert_false(tg_blas_record_parse(NULL, &record));
  char many[512] = "Prescott";
  for (int k = 0; k < 30; k++) strcat(many, ",Haswell!");
  assert_false(tg_blas_record_parse(many, &record));
  assert_true(tg_blas_record_parse("*,SkylakeX-,Haswell!,Zen?", &record));
  assert_true(record.is_user && record.natural[0] == '\0' && record.n_tried == 3);
  assert_string_equal(record.tried[1].name, "Haswell");
  assert_int_equal(record.tried[0].verdict, TG_BLAS_UNFIT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_best), cmocka_unit_test(test_operating_system),
                                     cmocka_unit_test(test_scenes), cmocka_unit_test(test_all_chains),
                                     cmocka_unit_test(test_records)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
