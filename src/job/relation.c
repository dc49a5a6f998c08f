// Entries of subject_to split at their sign.
#include "job/relation.h"

#include <string.h>

#include "grad/text/ast.h"

// A failure at bytes [begin, end) of the entry.
#define FAIL_IN(expression, from, to, ...) \
  return tg_error_in_excerpt((expression), tg_error_set_at(TG_SYNTAX, TG_HERE, (tg_span){(from), (to)}, __VA_ARGS__))

static bool is_sign(char byte)
{
  return byte == '<' || byte == '=' || byte == '>';
}

// The one run of the bytes < = > in the text: what it means.
static tg_status find_sign(const tg_excerpt *whole, size_t *begin, size_t *end, tg_relation_sign *out)
{
  static const struct {
    const char *text;
    tg_relation_sign sign;
  } signs[] = {
      {"=", TG_RELATION_EQUAL}, {"==", TG_RELATION_EQUAL}, {"<=", TG_RELATION_AT_MOST}, {">=", TG_RELATION_AT_LEAST}};
  const char *text = whole->text;
  *begin = strcspn(text, "<=>");
  if (*begin >= whole->length)
    FAIL_IN(whole, 0, whole->length,
            "an entry of subject_to relates two expressions: '%.200s' has no =, <= or >=; write %.200s = 0 if that is "
            "meant",
            text, text);
  for (*end = *begin; is_sign(text[*end]);) ++*end;
  const size_t next = *end + strcspn(text + *end, "<=>");
  if (next < whole->length)
    FAIL_IN(whole, next, next + 1,
            "a second sign: an entry has one; write two entries, and name parts under define: instead of by 'where'");
  const size_t length = *end - *begin;
  for (size_t k = 0; k < sizeof signs / sizeof signs[0]; k++) {
    if (strlen(signs[k].text) != length || strncmp(signs[k].text, text + *begin, length) != 0) continue;
    *out = signs[k].sign;
    return TG_OK;
  }
  FAIL_IN(whole, *begin, *end, "the sign between the sides is =, <= or >=, found '%.*s'", (int)length, text + *begin);
}

// A side: it must be an expression by itself, so that `(A <= B)` is not read as (A - B).
static tg_status cut_side(tg_job *job, const tg_excerpt *whole, size_t begin, size_t end, tg_excerpt *out)
{
  tg_arena scratch;
  tg_ast *ast = NULL;
  while (begin < end && strchr(" \t\n", whole->text[begin]) != NULL) begin++;
  while (end > begin && strchr(" \t\n", whole->text[end - 1]) != NULL) end--;
  if (begin == end)
    FAIL_IN(whole, begin, begin + 1, "nothing stands on %s side of the sign", begin == 0 ? "the left" : "one");
  *out = (tg_excerpt){.mark = whole->mark, .length = end - begin, .offsets = whole->offsets + begin};
  TG_TRY(tg_arena_string(&job->arena, whole->text + begin, out->length, &out->text));
  tg_arena_init(&scratch);
  const tg_status status = tg_parse(&scratch, out->text, out->length, NULL, NULL, &ast);
  tg_arena_fini(&scratch);
  return tg_error_in_excerpt(out, status);
}

// LEFT -(RIGHT) as one text, so that sizes are inferred across the sign: X*ones = r. The minus stands where the sign
// stood, the parentheses where RIGHT begins and ends.
static tg_status join_sides(tg_job *job, size_t sign, tg_spec_relation *out)
{
  const tg_excerpt *left = &out->left;
  const tg_excerpt *right = &out->right;
  const size_t length = left->length + right->length + 3;
  char *text = NULL;
  size_t *offsets = NULL;
  TG_TRY(TG_ARENA_NEW(&job->arena, length + 1, &text));
  TG_TRY(TG_ARENA_NEW(&job->arena, length + 1, &offsets));
  memcpy(text, left->text, left->length);
  memcpy(text + left->length, "-(", 2);
  memcpy(text + left->length + 2, right->text, right->length);
  text[length - 1] = ')';
  memcpy(offsets, left->offsets, left->length * sizeof *offsets);
  offsets[left->length] = out->whole.offsets[sign];
  offsets[left->length + 1] = right->offsets[0];
  memcpy(offsets + left->length + 2, right->offsets, right->length * sizeof *offsets);
  offsets[length - 1] = right->offsets[right->length - 1];
  offsets[length] = right->offsets[right->length];
  out->difference = (tg_excerpt){.mark = out->whole.mark, .text = text, .length = length, .offsets = offsets};
  return TG_OK;
}

static tg_status read_relation(tg_job *job, const tg_yaml_node *node, tg_spec_relation *out)
{
  size_t begin = 0;
  size_t end = 0;
  TG_TRY(tg_job_excerpt(job, node, &out->whole));
  TG_TRY(find_sign(&out->whole, &begin, &end, &out->sign));
  TG_TRY(cut_side(job, &out->whole, 0, begin, &out->left));
  TG_TRY(cut_side(job, &out->whole, end, out->whole.length, &out->right));
  return join_sides(job, begin, out);
}

tg_status tg_job_read_relations(tg_job *job)
{
  const tg_yaml_node *list = tg_yaml_get(job->root, "subject_to");
  if (list == NULL) return TG_OK;
  if (list->n_items == 0)
    TG_FAIL_NODE(list, TG_JOB, "subject_to is empty; give entries such as tr(X) = 1, or leave the key out");
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items, &job->spec.relations));
  for (const tg_yaml_item *item = list->first; item != NULL; item = item->next)
    TG_TRY(
        tg_errors_take(&job->errors, read_relation(job, item->value, &job->spec.relations[job->spec.n_relations++])));
  return TG_OK;
}
