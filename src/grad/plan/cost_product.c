// The algorithms of src/mpi/product as arithmetic.
#include "grad/plan/cost_product.h"

#include <limits.h>

#include "base/arithmetic.h"
#include "grad/plan/cost_layout.h"

tg_cost_gemm tg_cost_gemm_of(const tg_plan *plan, const tg_instr *instr)
{
  const tg_plan_buffer *a = &plan->buffers[instr->in[0]];
  const tg_plan_buffer *out = &plan->buffers[instr->out];
  return (tg_cost_gemm){
      .m = out->rows,
      .n = out->cols,
      .k = instr->trans[0] ? a->rows : a->cols,
      .trans_a = instr->trans[0] && !instr->symmetric[0],
      .trans_b = instr->trans[1] && !instr->symmetric[1],
      .is_update = instr->in[0] == instr->in[1] && instr->beta == 0 &&
                   (instr->trans[0] != instr->trans[1] || instr->symmetric[0]),
  };
}

// The smallest of the three matrices is transposed: C, which leaves B A, else A or B, which leaves the other's form.
static tg_cost_gemm turned_product(const tg_cost_gemm *gemm, int64_t *rows, int64_t *cols)
{
  const double a_size = (double)gemm->m * (double)gemm->k;
  const double b_size = (double)gemm->k * (double)gemm->n;
  const double c_size = (double)gemm->m * (double)gemm->n;
  tg_cost_gemm turned = *gemm;
  if (c_size <= a_size && c_size <= b_size) {
    *rows = gemm->n;
    *cols = gemm->m;
    return (tg_cost_gemm){.m = gemm->n, .n = gemm->m, .k = gemm->k};
  }
  *rows = a_size <= b_size ? gemm->m : gemm->k;
  *cols = a_size <= b_size ? gemm->k : gemm->n;
  turned.trans_a = a_size > b_size;
  turned.trans_b = a_size <= b_size;
  return turned;
}

// ---- by panels ----

// Whole blocks where they fit, equal parts of a block where they do not; a message must fit MPI's int.
static int64_t panel_width(int64_t wanted, int64_t block, const int64_t lengths[3])
{
  int64_t width = wanted / block * block;
  if (block > wanted) {
    const int64_t parts = (block + wanted - 1) / wanted;
    width = (block + parts - 1) / parts;
  }
  for (int b = 0; b < 3; b++) {
    const int64_t most = lengths[b] > 0 ? INT_MAX / lengths[b] : width;
    if (width > most) width = most;
  }
  return width > 1 ? width : 1;
}

// How a product is cut: indices 0 .. range-1 in panels of at most `width`, through three buffers that hold so many
// numbers for each index (0: not used).
typedef struct panel_cut {
  int64_t range;
  int64_t width;
  int64_t lengths[3];
  int64_t sizes[3]; // processes that share a panel
} panel_cut;

// C's rows (A' B) are cut more finely where few columns are multiplied with and nothing is sent.
static int64_t width_of_rows(const tg_cost_grid *grid, const tg_cost_gemm *gemm)
{
  enum { WIDTH_ROWS = 768, FEW = 256, TINY_BLOCK = 64 };
  const bool is_thin = grid->cols == 1 && gemm->n < FEW && grid->block >= TINY_BLOCK;
  return is_thin && grid->block < WIDTH_ROWS ? grid->block : WIDTH_ROWS;
}

static panel_cut cut_product(const tg_cost_grid *grid, const tg_cost_gemm *gemm)
{
  enum { WIDTH_INNER = 320, WIDTH_COLUMNS = 384 };
  const int64_t block = grid->block;
  panel_cut panels = {0};
  int64_t wanted = WIDTH_INNER;
  if (gemm->trans_a) {
    wanted = width_of_rows(grid, gemm);
    panels.range = gemm->m;
    panels.lengths[0] = tg_cost_share(gemm->k, block, 0, grid->rows);
    panels.lengths[2] = tg_cost_share(gemm->n, block, 0, grid->cols);
    panels.sizes[0] = grid->cols;
    panels.sizes[2] = grid->rows;
  } else if (gemm->trans_b) {
    wanted = WIDTH_COLUMNS;
    panels.range = gemm->n;
    panels.lengths[0] = tg_cost_share(gemm->k, block, 0, grid->cols);
    panels.lengths[2] = tg_cost_share(gemm->m, block, 0, grid->rows);
    panels.sizes[0] = grid->rows;
    panels.sizes[2] = grid->cols;
  } else {
    panels.range = gemm->k;
    panels.lengths[0] = tg_cost_share(gemm->m, block, 0, grid->rows);
    panels.lengths[1] = tg_cost_share(gemm->n, block, 0, grid->cols);
    panels.sizes[0] = grid->cols;
    panels.sizes[1] = grid->rows;
  }
  panels.width = panel_width(wanted, block, panels.lengths);
  return panels;
}

// Panels are cut from the index classes that one process row and one process column own.
static double panel_count(const tg_cost_grid *grid, int64_t range, int64_t width)
{
  const int64_t classes = tg_common_multiple(grid->rows, grid->cols);
  double count = 0;
  for (int64_t c = 0; c < classes && c * grid->block < range; c++) {
    const int64_t share = tg_cost_share(range, grid->block, c, classes);
    count += (double)((share + width - 1) / width);
  }
  return count;
}

// Process rows (or columns) that own a part of n indices.
static double owners(int64_t n, int64_t block, int64_t np)
{
  const int64_t blocks = (n + block - 1) / block;
  return (double)(blocks < np ? blocks : np);
}

// Data that all ranks send, in entries: each panel goes along a row or column, or is summed there.
static double gemm_entries(const tg_cost_grid *grid, const tg_cost_gemm *g)
{
  const double along_row = (double)(grid->cols - 1);
  const double along_col = (double)(grid->rows - 1);
  if (g->trans_a) return tg_cost_area(g->k, g->m) * along_row + tg_cost_area(g->m, g->n) * along_col;
  if (g->trans_b) return tg_cost_area(g->n, g->k) * along_col + tg_cost_area(g->m, g->n) * along_row;
  return tg_cost_area(g->m, g->k) * along_row + tg_cost_area(g->k, g->n) * along_col;
}

// Messages of one panel, over all ranks; an empty local part sends none.
static double messages_per_panel(const tg_cost_grid *grid, const tg_cost_gemm *g)
{
  const double along_row = (double)(grid->cols - 1);
  const double along_col = (double)(grid->rows - 1);
  const int64_t b = grid->block;
  if (g->trans_a) return owners(g->k, b, grid->rows) * along_row + owners(g->n, b, grid->cols) * along_col;
  if (g->trans_b) return owners(g->k, b, grid->cols) * along_col + owners(g->m, b, grid->rows) * along_row;
  return owners(g->m, b, grid->rows) * along_row + owners(g->n, b, grid->cols) * along_col;
}

// ---- half of a symmetric result, and its mirror image (product_half.c) ----

static bool is_half(const tg_cost_grid *grid, const tg_cost_gemm *g)
{
  enum { ORDER_LEAST = 384, INNER_LEAST = 256, BLOCK_LEAST = 32, BLOCK_MOST = 384, BLOCKS_LEAST = 4 };
  const int64_t blocks = (g->m + grid->block - 1) / grid->block;
  return g->is_update && g->trans_a != g->trans_b && tg_cost_ranks(grid) > 1 && g->m >= ORDER_LEAST &&
         g->k >= INNER_LEAST && grid->block >= BLOCK_LEAST && grid->block <= BLOCK_MOST && blocks >= BLOCKS_LEAST;
}

static bool is_kept(int64_t blocks, int64_t i, int64_t j)
{
  const int64_t distance = (i - j + blocks) % blocks;
  return 2 * distance < blocks || (2 * distance == blocks && i > j);
}

// Entries of the half whose image another rank owns, and the messages in which they travel: of a round of block rows,
// each row goes to as many ranks as its blocks have owners.
static void count_mirror(const tg_cost_grid *grid, int64_t n, double *entries, double *messages)
{
  enum { PERIOD_MOST = 1024 };
  const int64_t b = grid->block;
  const int64_t blocks = (n + b - 1) / b;
  const int64_t period = tg_common_multiple(grid->rows, grid->cols);
  *entries = 0;
  *messages = 0;
  for (int64_t i = 0; i < blocks; i++) {
    bool seen[PERIOD_MOST] = {false};
    const int64_t rows = n - i * b < b ? n - i * b : b;
    for (int64_t j = 0; j < blocks; j++) {
      if (i == j || (i - j) % period == 0 || !is_kept(blocks, i, j)) continue;
      const int64_t cols = n - j * b < b ? n - j * b : b;
      *entries += (double)rows * (double)cols;
      if (period > PERIOD_MOST || !seen[j % period]) ++*messages;
      if (period <= PERIOD_MOST) seen[j % period] = true;
    }
  }
}

static void add_mirror(const tg_cost_grid *grid, int64_t n, tg_cost *out)
{
  enum { BLOCKS_MOST = 2000 };
  const int64_t blocks = (n + grid->block - 1) / grid->block;
  const int64_t rows = grid->rows > grid->cols ? grid->rows : grid->cols;
  const double period = (double)tg_common_multiple(grid->rows, grid->cols);
  // Very many blocks are counted by the average shares, which hold for any number.
  double entries = tg_cost_area(n, n) / 2 * (1 - 1 / period);
  double messages = (double)blocks * (period - 1);
  if (blocks <= BLOCKS_MOST) count_mirror(grid, n, &entries, &messages);
  out->product_bytes += 8 * entries;
  out->bytes_sent += 8 * entries;
  out->messages += messages;
  out->latencies += (double)((blocks + rows - 1) / rows) * tg_cost_tree_depth(rows);
  out->memory_bytes += 2 * 8 * tg_cost_local_entries(grid, n, n) / 2;
}

// Numbers in the buffers of a round: what a rank sends, or receives, whichever is more.
static double mirror_scratch(const tg_cost_grid *grid, int64_t n)
{
  const int64_t blocks = (n + grid->block - 1) / grid->block;
  int64_t rows = grid->rows > grid->cols ? grid->rows : grid->cols;
  if (rows > blocks) rows = blocks;
  const double sent =
      (double)((rows / grid->rows + 1) * grid->block) * (double)tg_cost_share(n, grid->block, 0, grid->cols);
  const double received =
      (double)((rows / grid->cols + 1) * grid->block) * (double)tg_cost_share(n, grid->block, 0, grid->rows);
  return sent > received ? sent : received;
}

// Twice the local volume of the multiplication: what is not cut into panels is local in two of the three sizes.
static double gemm_rank_flops(const tg_cost_grid *grid, const tg_cost_gemm *g)
{
  const double m = (double)tg_cost_share(g->m, grid->block, 0, grid->rows);
  const double n = (double)tg_cost_share(g->n, grid->block, 0, grid->cols);
  const double k_rows = (double)tg_cost_share(g->k, grid->block, 0, grid->rows);
  const double k_cols = (double)tg_cost_share(g->k, grid->block, 0, grid->cols);
  if (g->trans_a) return 2 * (double)g->m * n * k_rows;
  if (g->trans_b) return 2 * m * (double)g->n * k_cols;
  return 2 * m * n * (double)g->k;
}

void tg_cost_add_transposition(const tg_cost_grid *grid, int64_t rows, int64_t cols, tg_cost *out)
{
  const double period = (double)tg_common_multiple(grid->rows, grid->cols);
  out->memory_bytes += 2 * 8 * tg_cost_local_entries(grid, rows, cols);
  if (tg_cost_ranks(grid) == 1) return;
  out->bytes_sent += 8 * tg_cost_area(rows, cols) * (1 - 1 / period);
  out->latencies += period * period / tg_cost_ranks(grid); // lcm / gcd partners
}

double tg_cost_transposition_scratch(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  enum { PIECE_ENTRIES = 1 << 18 };
  const double column = (double)tg_cost_share(rows, grid->block, 0, grid->rows);
  const double local = tg_cost_local_entries(grid, rows, cols);
  const double piece = local < PIECE_ENTRIES ? local : PIECE_ENTRIES;
  if (tg_cost_ranks(grid) == 1) return 0;
  return piece > column ? piece : column;
}

static tg_cost_gemm_scratch panels_scratch(const tg_cost_grid *grid, tg_cost_gemm gemm)
{
  tg_cost_gemm_scratch scratch = {0};
  if (gemm.trans_a && gemm.trans_b) {
    int64_t rows = 0;
    int64_t cols = 0;
    const bool is_result = tg_cost_area(gemm.m, gemm.n) <= tg_cost_area(gemm.m, gemm.k) &&
                           tg_cost_area(gemm.m, gemm.n) <= tg_cost_area(gemm.k, gemm.n);
    gemm = turned_product(&gemm, &rows, &cols);
    scratch.transposed = tg_cost_most_entries(grid, rows, cols);
    // The transposed matrix is read when it is the result, else written.
    scratch.exchanged = tg_cost_transposition_scratch(grid, is_result ? rows : cols, is_result ? cols : rows);
  }
  const panel_cut cut = cut_product(grid, &gemm);
  const double width = (double)(cut.width < cut.range ? cut.width : cut.range);
  for (int b = 0; b < 3; b++) {
    const bool in_place = cut.sizes[b] == 1 && grid->block % cut.width == 0;
    scratch.panels[b] = in_place ? 0 : 2.0 * (double)cut.lengths[b] * width;
  }
  if (is_half(grid, &gemm)) {
    scratch.exchanged = mirror_scratch(grid, gemm.m);
    scratch.counts = 3 * tg_cost_ranks(grid);
  }
  return scratch;
}

static void add_panels(const tg_cost_grid *grid, tg_cost_gemm g, tg_cost *out)
{
  if (g.trans_a && g.trans_b) {
    int64_t rows = 0;
    int64_t cols = 0;
    g = turned_product(&g, &rows, &cols);
    tg_cost_add_transposition(grid, rows, cols, out);
  }
  const panel_cut cut = cut_product(grid, &g);
  const double panels = panel_count(grid, cut.range, cut.width);
  out->product_bytes = 8 * gemm_entries(grid, &g);
  out->bytes_sent += out->product_bytes;
  out->messages = panels * messages_per_panel(grid, &g);
  out->latencies += panels * (tg_cost_tree_depth(grid->rows) + tg_cost_tree_depth(grid->cols));
  out->rank_flops = gemm_rank_flops(grid, &g);
  if (!is_half(grid, &g)) return;
  out->rank_flops /= 2;
  add_mirror(grid, g.m, out);
}

// ---- a thin operand brought to a large one ----

// T (outer x thin) = op(L) S (inner x thin): S comes to all ranks, T's partial sums are added along one side of the
// grid, and spread along the other where C is dealt otherwise.
typedef struct thin_product {
  bool turned;
  bool spread;
  int64_t inner;
  int64_t outer;
  int64_t thin;
  int64_t width; // of the panels of S and T
} thin_product;

static thin_product thin_of(const tg_cost_gemm *g)
{
  enum { PANEL_ENTRIES = 1 << 21 };
  const bool is_left = tg_cost_area(g->m, g->k) >= tg_cost_area(g->k, g->n);
  thin_product t = {.turned = is_left ? g->trans_a : !g->trans_b,
                    .inner = g->k,
                    .outer = is_left ? g->m : g->n,
                    .thin = is_left ? g->n : g->m};
  t.spread = is_left == t.turned;
  const int64_t longest = t.inner > t.outer ? t.inner : t.outer;
  t.width = PANEL_ENTRIES / longest > 1 ? PANEL_ENTRIES / longest : 1;
  if (t.width > t.thin) t.width = t.thin;
  return t;
}

// Numbers that a rank receives by panels (A' B' counted as A B), and twice those of the other way.
static bool thin_pays(const tg_cost_grid *grid, const tg_cost_gemm *g)
{
  const thin_product t = thin_of(g);
  const double p = (double)grid->rows;
  const double q = (double)grid->cols;
  const double m = (double)g->m;
  const double n = (double)g->n;
  const double k = (double)g->k;
  double panels = (q > 1 ? m / p * k : 0) + (p > 1 ? k * n / q : 0);
  if (g->trans_a && !g->trans_b) panels = (q > 1 ? k / p * m : 0) + (p > 1 ? m * n / q : 0);
  if (!g->trans_a && g->trans_b) panels = (p > 1 ? n * k / q : 0) + (q > 1 ? m / p * n : 0);
  const double outer = (double)t.outer;
  const double thin =
      (double)t.thin * (2 * (double)t.inner + 2 * outer / (t.turned ? q : p) + (t.spread ? 2 * outer : 0));
  return 2 * thin < panels;
}

// An allreduce of `numbers` in all over `groups` groups of `size` ranks: each rank passes on twice its part.
static void add_allreduces(double numbers, double groups, int64_t size, double panels, tg_cost *out)
{
  const double others = (double)(size - 1);
  out->product_bytes += 2 * 8 * numbers * others;
  out->messages += size > 1 ? panels * groups * (double)size * 2 * others : 0;
  out->latencies += panels * 2 * tg_cost_tree_depth(size);
}

static void add_thin(const tg_cost_grid *grid, const tg_cost_gemm *g, tg_cost *out)
{
  const thin_product t = thin_of(g);
  const double panels = (double)((t.thin + t.width - 1) / t.width);
  const int64_t sum_size = t.turned ? grid->rows : grid->cols;
  const int64_t spread_size = t.turned ? grid->cols : grid->rows;
  add_allreduces(tg_cost_area(t.inner, t.thin), 1, grid->rows * grid->cols, panels, out);
  add_allreduces(tg_cost_area(t.outer, t.thin), (double)spread_size, sum_size, panels, out);
  if (t.spread)
    add_allreduces(tg_cost_area(t.outer, t.thin) * (double)sum_size, (double)sum_size, spread_size, panels, out);
  out->bytes_sent += out->product_bytes;
  const double inner = (double)tg_cost_share(t.inner, grid->block, 0, sum_size);
  const double outer = (double)tg_cost_share(t.outer, grid->block, 0, spread_size);
  out->rank_flops = 2 * inner * outer * (double)t.thin;
}

static tg_cost_gemm_scratch thin_scratch(const tg_cost_gemm *g)
{
  const thin_product t = thin_of(g);
  const double inner = tg_cost_area(t.inner, t.width);
  const double outer = tg_cost_area(t.outer, t.width);
  return (tg_cost_gemm_scratch){.panels = {inner, inner, outer}, .packed = outer};
}

// ---- the decision ----

void tg_cost_add_product(const tg_cost_grid *grid, tg_cost_gemm gemm, tg_cost *out)
{
  if (tg_cost_ranks(grid) == 1)
    out->rank_flops = (gemm.is_update ? 1 : 2) * (double)gemm.m * (double)gemm.n * (double)gemm.k;
  else if (thin_pays(grid, &gemm))
    add_thin(grid, &gemm, out);
  else
    add_panels(grid, gemm, out);
}

tg_cost_gemm_scratch tg_cost_gemm_scratch_of(const tg_cost_grid *grid, tg_cost_gemm gemm)
{
  if (tg_cost_ranks(grid) == 1) return (tg_cost_gemm_scratch){0};
  return thin_pays(grid, &gemm) ? thin_scratch(&gemm) : panels_scratch(grid, gemm);
}
