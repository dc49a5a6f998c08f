// Long results with the parts that they share named: T1 = ..., each written once.
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

enum {
  NAMED_LENGTH = 8, // shorter parts are written out
  NAME_LENGTH = 3,
  OPERATOR_LENGTH = 3,
  DEFINITION_LENGTH = 6, // of "T1 = " and what ends it
  PASSES_MAX = 20,
};

// About how many characters a node takes, named parts by their names.
static double length_of(const tg_graph *g, tg_node node, const double *lengths, const int32_t *parts)
{
  const tg_info *info = tg_node_info(g, node);
  double length = info->n_args == 0 ? 2.0 : 0.0;
  if (info->kind == TG_EIGVECTORS || info->kind == TG_EIGVALUES) length = NAMED_LENGTH; // of its own name
  for (int32_t i = 0; i < info->n_args; i++)
    length += OPERATOR_LENGTH + (parts[info->args[i]] > 0 ? (double)NAME_LENGTH : lengths[info->args[i]]);
  return length;
}

// parts[k]: 1 for a node below `node` that several others use and that is worth a name, else 0.
static tg_status find_parts(const tg_graph *g, tg_node node, int32_t *parts)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  int32_t *uses = NULL;
  double *lengths = NULL;
  TG_TRY_GOTO(tg_node_find_below(g, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &uses));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &lengths));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(g, at);
    for (int32_t i = 0; below[at] != 0 && i < info->n_args; i++) uses[info->args[i]]++;
  }
  for (tg_node at = 1; at < node; at++) {
    if (below[at] == 0) continue;
    lengths[at] = length_of(g, at, lengths, parts);
    if (uses[at] > 1 && lengths[at] >= NAMED_LENGTH) parts[at] = 1;
  }
done:
  tg_free(below);
  tg_free(uses);
  tg_free(lengths);
  return status;
}

typedef struct piece {
  tg_node node;
  size_t begin; // in the text
  size_t end;
} piece;

// A result with its parts. The first piece is the result, each part stands behind the pieces that use it.
typedef struct sharing {
  tg_graph *g;
  tg_node node;
  tg_format format;
  int32_t *parts; // by node: its number, from 1 on; 0: it has no name
  int32_t *uses;  // by node: of its name
  int32_t n_parts;
  int32_t n_pieces;
  piece *pieces;
  tg_text prefix;
  tg_text text; // of all pieces
} sharing;

// A program assigns the parts before the result; elsewhere they are read from the result on.
static bool is_program(tg_format format)
{
  return format == TG_FORMAT_NUMPY || format == TG_FORMAT_OCTAVE;
}

static void number_parts(sharing *s)
{
  int32_t count = 0;
  for (tg_node at = 1; at < s->node; at++) count += s->parts[at] > 0;
  s->n_parts = count;
  int32_t next = 0;
  for (tg_node at = 1; at < s->node; at++) {
    if (s->parts[at] == 0) continue;
    next++;
    s->parts[at] = is_program(s->format) ? next : count + 1 - next;
  }
}

// T, or T_, T__, where a name of the graph looks like a part's.
static tg_status choose_prefix(sharing *s)
{
  bool taken = true;
  s->prefix.length = 0;
  tg_text_add(&s->prefix, "T");
  while (taken) {
    taken = false;
    for (int32_t k = 1; k <= s->n_parts && !taken; k++) {
      tg_text name;
      tg_text_init(&name);
      tg_text_addf(&name, "%s%s%d", tg_text_string(&s->prefix), s->format == TG_FORMAT_LATEX ? "_" : "", (int)k);
      taken = tg_symbol_find(s->g, tg_text_string(&name)) >= 0;
      tg_text_fini(&name);
    }
    if (taken) tg_text_add(&s->prefix, s->format == TG_FORMAT_LATEX ? "'" : "_");
  }
  return tg_text_status(&s->prefix);
}

bool tg_print_is_part(const tg_printer *p, tg_node node)
{
  return p->parts != NULL && node < p->n_parts && p->parts[node] > 0 && node != p->defined;
}

static void add_part_name(const char *prefix, int32_t number, tg_format format, tg_text *out)
{
  tg_text_addf(out, format == TG_FORMAT_LATEX ? "%s_{%d}" : "%s%d", prefix, (int)number);
}

void tg_print_part(tg_printer *p, tg_node node)
{
  p->uses[node]++;
  add_part_name(p->prefix, p->parts[node], p->format, p->out);
}

// One pass: the result, then from the top the parts that what stands before them uses. *has_entrywise: somewhere '*' or
// '/' is NumPy's.
static tg_status print_pieces(sharing *s, bool spell, bool *has_entrywise)
{
  tg_status status = TG_OK;
  s->text.length = 0;
  s->n_pieces = 0;
  memset(s->uses, 0, ((size_t)s->node + 1) * sizeof s->uses[0]);
  *has_entrywise = false;
  for (tg_node at = s->node; at > 0 && status == TG_OK; at--) {
    if (at != s->node && (s->parts[at] == 0 || s->uses[at] == 0)) continue;
    tg_printer p = {.g = s->g,
                    .format = s->format,
                    .out = &s->text,
                    .longest = s->text.length + TG_PRINT_BYTES_MAX,
                    .turned = -1,
                    .spell = spell,
                    .parts = s->parts,
                    .uses = s->uses,
                    .n_parts = s->node + 1,
                    .prefix = tg_text_string(&s->prefix),
                    .defined = at};
    const size_t begin = s->text.length;
    tg_print_node(&p, at, PREC_SUM, &status);
    spell = p.spell;
    *has_entrywise = *has_entrywise || p.has_entrywise;
    s->pieces[s->n_pieces++] = (piece){.node = at, .begin = begin, .end = s->text.length};
    if (status == TG_OK && p.is_cut) TG_FAIL(TG_LIMIT, "the result is longer than %d characters", TG_PRINT_BYTES_MAX);
  }
  TG_TRY(status);
  return tg_text_status(&s->text);
}

// Names that save nothing are dropped; the printer has rules by which a node of many uses is written only once.
static bool drop_parts(sharing *s)
{
  bool dropped = false;
  for (tg_node at = 1; at < s->node; at++) {
    if (s->parts[at] == 0 || s->uses[at] > 1) continue;
    s->parts[at] = 0;
    dropped = true;
  }
  for (int32_t k = 1; k < s->n_pieces; k++) {
    const piece *one = &s->pieces[k];
    const size_t length = one->end - one->begin;
    const size_t uses = (size_t)s->uses[one->node];
    if (uses * length > length + DEFINITION_LENGTH + (uses + 1) * NAME_LENGTH) continue;
    s->parts[one->node] = 0;
    dropped = true;
  }
  return dropped;
}

static tg_status share(sharing *s)
{
  bool has_entrywise = false;
  bool dropped = true;
  TG_TRY(TG_NEW((int64_t)s->node + 1, &s->parts));
  TG_TRY(TG_NEW((int64_t)s->node + 1, &s->uses));
  TG_TRY(find_parts(s->g, s->node, s->parts));
  number_parts(s);
  TG_TRY(TG_NEW((int64_t)s->n_parts + 1, &s->pieces));
  for (int pass = 0; dropped && pass < PASSES_MAX; pass++) {
    number_parts(s);
    TG_TRY(choose_prefix(s));
    TG_TRY(print_pieces(s, false, &has_entrywise));
    dropped = drop_parts(s);
  }
  if (dropped) { // as good as it gets: every name that is used is defined
    number_parts(s);
    TG_TRY(print_pieces(s, false, &has_entrywise));
  }
  if (has_entrywise && !tg_print_shows_numpy(tg_text_string(&s->text))) TG_TRY(print_pieces(s, true, &has_entrywise));
  return TG_OK;
}

static void sharing_fini(sharing *s)
{
  tg_free(s->parts);
  tg_free(s->uses);
  tg_free(s->pieces);
  tg_text_fini(&s->prefix);
  tg_text_fini(&s->text);
}

// ---- results ----

void tg_printed_fini(tg_printed *printed)
{
  tg_arena_fini(&printed->arena);
  *printed = (tg_printed){0};
}

static tg_status keep_pieces(const sharing *s, tg_printed *out)
{
  const char *all = tg_text_string(&s->text);
  TG_TRY(tg_arena_string(&out->arena, all, s->pieces[0].end, &out->text));
  TG_TRY(TG_ARENA_NEW(&out->arena, (size_t)s->n_pieces, &out->parts));
  out->n_parts = s->n_pieces - 1;
  for (int32_t k = 0; k < out->n_parts; k++) {
    const piece *one = &s->pieces[k + 1];
    tg_text name;
    tg_text_init(&name);
    add_part_name(tg_text_string(&s->prefix), s->parts[one->node], s->format, &name);
    tg_status status = tg_arena_string(&out->arena, tg_text_string(&name), name.length, &out->parts[k].name);
    tg_text_fini(&name);
    TG_TRY(status);
    TG_TRY(tg_arena_string(&out->arena, all + one->begin, one->end - one->begin, &out->parts[k].text));
    out->parts[k].node = one->node;
  }
  return TG_OK;
}

static size_t length_with_parts(const sharing *s)
{
  return s->text.length + (size_t)(s->n_pieces - 1) * (DEFINITION_LENGTH + NAME_LENGTH);
}

// Eigenvectors stand at both ends of what they are the basis of: a name for them reads better in short results too.
static tg_status holds_eigenvectors(const tg_graph *g, tg_node node, bool *holds)
{
  uint8_t *below = NULL;
  TG_TRY(tg_node_find_below(g, node, &below));
  *holds = false;
  for (tg_node at = 1; at <= node; at++)
    *holds = *holds || (below[at] != 0 && tg_node_info(g, at)->kind == TG_EIGVECTORS);
  tg_free(below);
  return TG_OK;
}

tg_status tg_print_shared(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_printed *out)
{
  tg_status status = TG_OK;
  sharing s = {.g = graph, .node = node, .format = format};
  tg_text plain;
  tg_text_init(&plain);
  tg_text_init(&s.prefix);
  tg_text_init(&s.text);
  *out = (tg_printed){0};
  tg_arena_init(&out->arena);
  TG_TRY_GOTO(tg_print_start(graph, node, format, bytes, &plain));
  bool is_shared = false;
  TG_TRY_GOTO(holds_eigenvectors(graph, node, &is_shared));
  is_shared = is_shared || plain.length > bytes;
  if (is_shared) {
    TG_TRY_GOTO(share(&s));
    plain.length = 0;
    TG_TRY_GOTO(tg_print_start(graph, node, format, length_with_parts(&s), &plain));
    is_shared = s.n_pieces > 1 && plain.length > length_with_parts(&s);
  }
  if (is_shared) {
    TG_TRY_GOTO(keep_pieces(&s, out));
    goto done;
  }
  plain.length = 0;
  TG_TRY_GOTO(tg_print(graph, node, format, &plain));
  TG_TRY_GOTO(tg_arena_string(&out->arena, tg_text_string(&plain), plain.length, &out->text));
done:
  sharing_fini(&s);
  tg_text_fini(&plain);
  if (status != TG_OK) tg_printed_fini(out);
  return status;
}

// R where T1 = ..., T2 = ...
static void add_where(const tg_printed *printed, tg_text *out)
{
  tg_text_add(out, printed->text);
  for (int32_t k = 0; k < printed->n_parts; k++)
    tg_text_addf(out, "%s%s = %s", k == 0 ? " where " : ", ", printed->parts[k].name, printed->parts[k].text);
}

static void add_aligned(const tg_printed *printed, tg_text *out)
{
  tg_text_addf(out, "\\begin{aligned}\n& %s", printed->text);
  for (int32_t k = 0; k < printed->n_parts; k++)
    tg_text_addf(out, "%s%s = %s", k == 0 ? " \\\\\n& \\text{where } " : ", \\\\\n& ", printed->parts[k].name,
                 printed->parts[k].text);
  tg_text_add(out, "\n\\end{aligned}");
}

static void add_program(const tg_printed *printed, const char *end, tg_text *out)
{
  for (int32_t k = printed->n_parts - 1; k >= 0; k--)
    tg_text_addf(out, "%s = %s%s\n", printed->parts[k].name, printed->parts[k].text, end);
  tg_text_add(out, printed->text);
}

tg_status tg_print_with_parts(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out)
{
  tg_printed printed;
  TG_TRY(tg_print_shared(graph, node, format, bytes, &printed));
  if (is_program(format))
    add_program(&printed, format == TG_FORMAT_OCTAVE ? ";" : "", out);
  else if (format == TG_FORMAT_LATEX && printed.n_parts > 0)
    add_aligned(&printed, out);
  else
    add_where(&printed, out);
  tg_printed_fini(&printed);
  return tg_text_status(out);
}
