// A dataset of an HDF5 file, found, examined and open for reading.
#include "mpi/file/io_hdf5_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mpi/file/io_posix.h"

// --- the library's errors ----------------------------------------------------------------------------

// HDF5 prints its errors unless told not to; the setting is put back as the program had it.
tg_hdf5_quiet tg_hdf5_quiet_enter(void)
{
  tg_hdf5_quiet before = {NULL, NULL};
  H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

void tg_hdf5_quiet_leave(tg_hdf5_quiet before)
{
  H5Eset_auto2(H5E_DEFAULT, before.function, before.data);
}

static herr_t take_innermost(unsigned number, const H5E_error2_t *error, void *data)
{
  tg_hdf5_reason *out = data;
  if (number == 0 && error->desc != NULL) snprintf(out->text, sizeof out->text, "%s", error->desc);
  return 0;
}

// What the library says is the root of its last failure.
tg_hdf5_reason tg_hdf5_last_reason(void)
{
  tg_hdf5_reason out = {"no reason given"};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &out);
  return out;
}

// --- what a file holds -------------------------------------------------------------------------------

enum { LISTED_DATASETS = 12 };

// Does an object carry an attribute? Writers that store columns first mark what they write.
static bool has_attribute(hid_t object, const char *name)
{
  return object >= 0 && H5Aexists(object, name) > 0;
}

// Octave's variables are groups of two datasets, `type` and `value`. Is `name` the dataset `last` of one?
static bool is_octave_part(hid_t file, const char *name, const char *last)
{
  const char *slash = strrchr(name, '/');
  char parent[TG_HDF5_NAME_ROOM];
  if (slash == NULL || slash == name || strcmp(slash + 1, last) != 0 || (size_t)(slash - name) >= sizeof parent)
    return false;
  snprintf(parent, sizeof parent, "%.*s", (int)(slash - name), name);
  const hid_t group = H5Oopen(file, parent, H5P_DEFAULT);
  const bool is_octave = has_attribute(group, "OCTAVE_NEW_FORMAT");
  if (group >= 0) H5Oclose(group);
  return is_octave;
}

// What is no matrix of the user's; MATLAB's cells and objects live in '#...#'.
static bool is_bookkeeping(hid_t file, const char *name)
{
  return name[0] == '#' || is_octave_part(file, name, "type");
}

// The shape as it is read.
static void describe_space(hid_t dataset, bool by_columns, tg_text *out)
{
  hsize_t dims[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(dataset);
  const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
  tg_text_add(out, " (");
  for (int d = 0; d < rank; d++)
    tg_text_addf(out, "%s%llu", d > 0 ? " x " : "", (unsigned long long)dims[by_columns ? rank - 1 - d : d]);
  tg_text_add(out, rank > 0 ? ")" : "scalar)");
  if (space >= 0) H5Sclose(space);
}

static herr_t list_link(hid_t file, const char *name, const H5L_info_t *info, void *data)
{
  tg_hdf5_listing *list = data;
  // Soft links repeat what is listed, external ones would open other files.
  if (info->type != H5L_TYPE_HARD || (list->except != NULL && strcmp(name, list->except) == 0)) return 0;
  const hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  if (object >= 0 && H5Iget_type(object) == H5I_DATASET && !is_bookkeeping(file, name)) {
    list->count++;
    if (list->count == 1) snprintf(list->first, sizeof list->first, "/%s", name);
    if (list->count <= LISTED_DATASETS) {
      tg_text_addf(&list->text, "%s/%s", list->count > 1 ? ", " : "", name);
      describe_space(object, has_attribute(object, "MATLAB_class") || is_octave_part(file, name, "value"), &list->text);
    }
  }
  if (object >= 0) H5Oclose(object);
  return 0;
}

void tg_hdf5_list(hid_t file, const char *except, tg_hdf5_listing *out)
{
  *out = (tg_hdf5_listing){.except = except};
  tg_text_init(&out->text);
  H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, list_link, out);
  if (out->count > LISTED_DATASETS) tg_text_addf(&out->text, " and %d more", out->count - LISTED_DATASETS);
  if (out->count == 0) tg_text_add(&out->text, "no dataset");
}

// --- one dataset, open for reading -------------------------------------------------------------------

void tg_hdf5_close(tg_hdf5_source *s)
{
  if (s->type >= 0) H5Tclose(s->type);
  if (s->space >= 0) H5Sclose(s->space);
  if (s->dataset >= 0) H5Oclose(s->dataset);
  if (s->file >= 0) H5Fclose(s->file);
  s->type = s->space = s->dataset = s->file = H5I_INVALID_HID;
}

// Locks are left alone where the file system has none: reading needs no protection from readers.
tg_status tg_hdf5_open_file(const char *path, int64_t *file_bytes, hid_t *out)
{
  int fd = -1;
  TG_TRY(tg_io_open_read(path, &fd, file_bytes));
  tg_io_close(&fd);
  if (H5Fis_hdf5(path) <= 0) TG_FAIL(TG_DATA, "%s: is not an HDF5 file, its signature is missing", path);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access, true, true);
#endif
  *out = H5Fopen(path, H5F_ACC_RDONLY, access);
  const tg_hdf5_reason why = tg_hdf5_last_reason();
  H5Pclose(access);
  if (*out < 0) TG_FAIL(TG_DATA, "%s: cannot be opened as an HDF5 file: %s", path, why.text);
  return TG_OK;
}

static herr_t refuse_external(const char *parent_file, const char *parent_group, const char *child_file,
                              const char *child_object, unsigned *flags, hid_t access, void *data)
{
  (void)parent_file, (void)parent_group, (void)child_file, (void)child_object, (void)flags, (void)access, (void)data;
  return -1;
}

// A job names each file that is read: an object in another one, to which a link leads, is not opened.
static hid_t open_object(hid_t file, const char *name)
{
  const hid_t access = H5Pcreate(H5P_LINK_ACCESS);
  if (access < 0) return H5I_INVALID_HID;
  const bool is_set = H5Pset_elink_cb(access, refuse_external, NULL) >= 0;
  const hid_t object = is_set ? H5Oopen(file, name, access) : H5I_INVALID_HID;
  H5Pclose(access);
  return object;
}

// The matrix of an Octave variable, which is a group, stands in its dataset `value`.
static tg_status enter_group(tg_hdf5_source *s)
{
  if (H5Iget_type(s->dataset) != H5I_GROUP) return TG_OK;
  if (has_attribute(s->dataset, "MATLAB_sparse"))
    TG_FAIL(TG_DATA, "%s: '%s' is a sparse matrix of MATLAB, expected a full one: save full(%s)", s->path, s->name,
            s->name + (s->name[0] == '/'));
  if (!has_attribute(s->dataset, "OCTAVE_NEW_FORMAT")) return TG_OK;
  const hid_t value = open_object(s->dataset, "value");
  if (value < 0) return TG_OK;
  H5Oclose(s->dataset);
  s->dataset = value;
  s->writer = "Octave";
  return TG_OK;
}

static tg_status refuse_name(const tg_hdf5_source *s, const tg_hdf5_listing *list)
{
  const char *held = tg_text_string(&list->text);
  if (s->name == NULL)
    TG_FAIL(TG_DATA, "%s: an HDF5 file needs 'dataset:' to say which matrix is meant; it holds %s", s->path, held);
  H5L_info_t link;
  const bool leads_away = s->dataset < 0 && s->name[0] != '\0' &&
                          H5Lget_info(s->file, s->name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_EXTERNAL;
  TG_FAIL(TG_DATA, "%s: '%s' %s; it holds %s", s->path, s->name,
          leads_away        ? "is a link to another file, which the job has to name"
          : s->dataset >= 0 ? "is not a dataset"
                            : "is not in the file",
          held);
}

// Without a name the only dataset of the file is meant.
static tg_status open_dataset(tg_hdf5_source *s)
{
  tg_hdf5_listing list;
  if (s->name != NULL && *s->name != '\0') s->dataset = open_object(s->file, s->name);
  if (s->dataset >= 0) TG_TRY(enter_group(s));
  if (s->dataset >= 0 && H5Iget_type(s->dataset) == H5I_DATASET) return TG_OK;
  tg_hdf5_list(s->file, NULL, &list);
  tg_status status = TG_OK;
  if (s->name == NULL && list.count == 1 && strlen(list.first) + 1 < sizeof list.first) {
    memcpy(s->only, list.first, sizeof s->only);
    s->name = s->only;
    s->dataset = open_object(s->file, s->name);
  }
  if (s->dataset < 0 || H5Iget_type(s->dataset) != H5I_DATASET) status = refuse_name(s, &list);
  tg_text_fini(&list.text);
  return status;
}

// --- columns first -----------------------------------------------------------------------------------

static void read_matlab_class(const tg_hdf5_source *s, size_t room, char *out)
{
  out[0] = '\0';
  const hid_t attribute = H5Aopen(s->dataset, "MATLAB_class", H5P_DEFAULT);
  const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
  const hid_t memory = H5Tcopy(H5T_C_S1);
  char text[64] = "";
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
      H5Tset_size(memory, sizeof text) >= 0 && H5Aread(attribute, memory, text) >= 0) {
    text[sizeof text - 1] = '\0';
    snprintf(out, room, "%s", text);
  }
  H5Tclose(memory);
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
}

// MATLAB and Octave hand their columns to HDF5 as if they were rows, so that the file holds the transpose.
static tg_status find_writer(tg_hdf5_source *s)
{
  static const char *const numbers[] = {"double", "single", "logical", "int8",  "uint8", "int16",
                                        "uint16", "int32",  "uint32",  "int64", "uint64"};
  char class[64];
  if (s->writer == NULL && is_octave_part(s->file, s->name, "value")) s->writer = "Octave";
  if (!has_attribute(s->dataset, "MATLAB_class")) return TG_OK;
  s->writer = "MATLAB";
  if (has_attribute(s->dataset, "MATLAB_empty"))
    TG_FAIL(TG_DATA, "%s: '%s' is empty, expected at least one entry", s->path, s->name);
  read_matlab_class(s, sizeof class, class);
  for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
    if (strcmp(class, numbers[k]) == 0) return TG_OK;
  TG_FAIL(TG_DATA, "%s: '%s' is of MATLAB's class '%s', expected a matrix of real numbers", s->path, s->name, class);
}

static tg_status read_shape(tg_hdf5_source *s)
{
  hsize_t dims[H5S_MAX_RANK] = {1, 1};
  s->space = H5Dget_space(s->dataset);
  const bool is_null = s->space >= 0 && H5Sget_simple_extent_type(s->space) == H5S_NULL;
  s->dimensions = s->space >= 0 ? H5Sget_simple_extent_dims(s->space, dims, NULL) : -1;
  if (s->dimensions < 0)
    TG_FAIL(TG_DATA, "%s: '%s' has no readable shape: %s", s->path, s->name, tg_hdf5_last_reason().text);
  if (s->dimensions > 2)
    TG_FAIL(TG_DATA, "%s: '%s' has %d dimensions, expected a matrix (at most 2)", s->path, s->name, s->dimensions);
  if (s->dimensions < 1) dims[0] = 1;
  if (s->dimensions < 2) dims[1] = 1;
  if (is_null || dims[0] == 0 || dims[1] == 0)
    TG_FAIL(TG_DATA, "%s: '%s' is empty (%llu x %llu), expected at least one entry", s->path, s->name,
            is_null ? 0 : (unsigned long long)dims[0], is_null ? 0 : (unsigned long long)dims[1]);
  int64_t entries = 0;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(dims[0], dims[1], &entries) || __builtin_mul_overflow(entries, 8, &bytes))
    TG_FAIL(TG_DATA, "%s: '%s' is %llu x %llu, whose numbers do not fit in 63 bits of bytes", s->path, s->name,
            (unsigned long long)dims[0], (unsigned long long)dims[1]);
  const bool by_columns = s->writer != NULL && s->dimensions == 2;
  s->order = by_columns ? TG_COLUMN_MAJOR : TG_ROW_MAJOR;
  s->rows = (int64_t)dims[by_columns ? 1 : 0];
  s->cols = (int64_t)dims[by_columns ? 0 : 1];
  return TG_OK;
}

// NumPy's booleans arrive as an enumeration of FALSE and TRUE.
static bool is_boolean(hid_t type)
{
  return H5Tget_class(type) == H5T_ENUM && H5Tget_nmembers(type) == 2 && H5Tget_member_index(type, "FALSE") >= 0 &&
         H5Tget_member_index(type, "TRUE") >= 0;
}

static const char *class_name(hid_t type)
{
  switch (H5Tget_class(type)) {
  case H5T_COMPOUND:
    return "compound values (complex numbers or records)";
  case H5T_STRING:
    return "text";
  case H5T_ENUM:
    return "enumeration values";
  case H5T_OPAQUE:
    return "raw bytes";
  case H5T_REFERENCE:
    return "references";
  case H5T_VLEN:
    return "lists of varying length";
  case H5T_ARRAY:
    return "arrays";
  default:
    return "values of another type";
  }
}

static tg_status read_type(tg_hdf5_source *s)
{
  s->type = H5Dget_type(s->dataset);
  if (s->type < 0) TG_FAIL(TG_DATA, "%s: '%s' has no readable type: %s", s->path, s->name, tg_hdf5_last_reason().text);
  const H5T_class_t class = H5Tget_class(s->type);
  if (class != H5T_FLOAT && class != H5T_INTEGER && !is_boolean(s->type))
    TG_FAIL(TG_DATA, "%s: '%s' holds %s, expected real numbers", s->path, s->name, class_name(s->type));
  return TG_OK;
}

// --- where the numbers are ---------------------------------------------------------------------------

// Names of the registered filters that are met; a file may leave its filter's name out.
static const char *filter_name(H5Z_filter_t id, const char *in_file)
{
  static const struct {
    H5Z_filter_t id;
    const char *name;
  } known[] = {{307, "bzip2"}, {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},   {32008, "bitshuffle"},
               {32013, "zfp"}, {32015, "zstd"}, {32017, "sz"},    {32026, "blosc2"}};
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
    if (known[k].id == id) return known[k].name;
  return in_file[0] != '\0' ? in_file : "unknown";
}

static tg_status check_filters(const tg_hdf5_source *s, hid_t creation)
{
  const int count = H5Pget_nfilters(creation);
  for (int k = 0; k < count; k++) {
    char name[64] = "";
    unsigned flags = 0;
    size_t n_values = 0;
    const H5Z_filter_t id = H5Pget_filter2(creation, (unsigned)k, &flags, &n_values, NULL, sizeof name, name, NULL);
    name[sizeof name - 1] = '\0';
    if (id < 0 || H5Zfilter_avail(id) > 0) continue;
    for (char *c = name; *c != '\0'; c++)
      if (*c < ' ' || *c > '~') *c = '?';
    TG_FAIL(
        TG_DATA,
        "%s: '%s' is stored with the filter %s (number %d of HDF5), which this HDF5 library lacks; store it without "
        "or with gzip, or set HDF5_PLUGIN_PATH to the folder of the filter's plugin",
        s->path, s->name, filter_name(id, name), (int)id);
  }
  return TG_OK;
}

// A dataset may keep its numbers in other files, or take them from there. Where one is missing HDF5 gives zeros.
static tg_status check_storage(const tg_hdf5_source *s)
{
  const hid_t creation = H5Dget_create_plist(s->dataset);
  tg_status status = TG_OK;
  if (creation < 0)
    TG_FAIL(TG_DATA, "%s: '%s' has no readable layout: %s", s->path, s->name, tg_hdf5_last_reason().text);
  if (H5Pget_external_count(creation) > 0 || H5Pget_layout(creation) == H5D_VIRTUAL)
    status = tg_error_set(TG_DATA, TG_HERE,
                          "%s: '%s' has its numbers in other files, which the job does not name; copy it into a file "
                          "of its own, with h5py: new['A'] = old['%s'][...]",
                          s->path, s->name, s->name);
  if (status == TG_OK) status = check_filters(s, creation);
  H5Pclose(creation);
  return status;
}

tg_status tg_hdf5_open(const char *path, const char *name, int64_t *file_bytes, tg_hdf5_source *s)
{
  *s = (tg_hdf5_source){.path = path, .name = name, .file = H5I_INVALID_HID, .dataset = H5I_INVALID_HID};
  s->space = s->type = H5I_INVALID_HID;
  TG_TRY(tg_hdf5_open_file(path, file_bytes, &s->file));
  TG_TRY(open_dataset(s));
  TG_TRY(find_writer(s));
  TG_TRY(read_shape(s));
  TG_TRY(read_type(s));
  return check_storage(s);
}

void tg_hdf5_describe_reading(const tg_hdf5_source *s, size_t room, char *out)
{
  const bool is_only = s->name == s->only;
  out[0] = '\0';
  if (s->order == TG_COLUMN_MAJOR)
    snprintf(out, room, "dataset %.60s of %s, stored by columns: read as %" PRId64 " x %" PRId64, s->name, s->writer,
             s->rows, s->cols);
  else if (is_only)
    snprintf(out, room, "dataset %.60s, the only one, of %" PRId64 " x %" PRId64, s->name, s->rows, s->cols);
}

void tg_hdf5_describe_type(hid_t type, size_t room, char *out)
{
  const H5T_class_t class = H5Tget_class(type);
  const char *name = class == H5T_FLOAT ? "float" : H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int";
  if (class == H5T_ENUM)
    snprintf(out, room, "bool");
  else
    snprintf(out, room, "%s%zu%s", name, 8 * H5Tget_size(type),
             H5Tget_order(type) == H5T_ORDER_BE && H5Tget_size(type) > 1 ? ", big-endian" : "");
}
