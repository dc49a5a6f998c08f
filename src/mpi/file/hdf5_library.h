// The HDF5 library, loaded when a file needs it: it brings thirty libraries for networks and security, whose loading
// would cost every start of the program as much as all the rest of it.
//
// Below, the names of HDF5 that io_hdf5*.c use stand for the loaded ones. Private to them.
#ifndef TG_MPI_HDF5_LIBRARY_H
#define TG_MPI_HDF5_LIBRARY_H

#include <hdf5.h>

#include "base/status.h"

// X(function)
#define TG_HDF5_FUNCTIONS(X)          \
  X(H5Aclose)                         \
  X(H5Aexists)                        \
  X(H5Aget_type)                      \
  X(H5Aopen)                          \
  X(H5Aread)                          \
  X(H5Dclose)                         \
  X(H5Dcreate2)                       \
  X(H5Dget_create_plist)              \
  X(H5Dget_offset)                    \
  X(H5Dget_space)                     \
  X(H5Dget_type)                      \
  X(H5Dread)                          \
  X(H5Eget_auto2)                     \
  X(H5Eset_auto2)                     \
  X(H5Ewalk2)                         \
  X(H5Fclose)                         \
  X(H5Fcreate)                        \
  X(H5Fflush)                         \
  X(H5Fget_file_image)                \
  X(H5Fis_hdf5)                       \
  X(H5Fopen)                          \
  X(H5Iget_type)                      \
  X(H5Lget_info)                      \
  X(H5Lvisit)                         \
  X(H5Oclose)                         \
  X(H5Oopen)                          \
  X(H5Pclose)                         \
  X(H5Pcreate)                        \
  X(H5Pget_external_count)            \
  X(H5Pget_filter2)                   \
  X(H5Pget_layout)                    \
  X(H5Pget_nfilters)                  \
  X(H5Pset_alloc_time)                \
  X(H5Pset_create_intermediate_group) \
  X(H5Pset_elink_cb)                  \
  X(H5Pset_fapl_core)                 \
  X(H5Pset_file_locking)              \
  X(H5Pset_fill_time)                 \
  X(H5Pset_layout)                    \
  X(H5Pset_libver_bounds)             \
  X(H5Pset_obj_track_times)           \
  X(H5Sclose)                         \
  X(H5Screate_simple)                 \
  X(H5Sget_simple_extent_dims)        \
  X(H5Sget_simple_extent_type)        \
  X(H5Sselect_hyperslab)              \
  X(H5Tclose)                         \
  X(H5Tcopy)                          \
  X(H5Tget_class)                     \
  X(H5Tget_member_index)              \
  X(H5Tget_nmembers)                  \
  X(H5Tget_order)                     \
  X(H5Tget_sign)                      \
  X(H5Tget_size)                      \
  X(H5Tis_variable_str)               \
  X(H5Tset_size)                      \
  X(H5Zfilter_avail)

// X(identifier)
#define TG_HDF5_IDS(X)           \
  X(H5P_CLS_FILE_ACCESS_ID_g)    \
  X(H5P_CLS_LINK_CREATE_ID_g)    \
  X(H5P_CLS_LINK_ACCESS_ID_g)    \
  X(H5P_CLS_DATASET_CREATE_ID_g) \
  X(H5T_NATIVE_DOUBLE_g)         \
  X(H5T_IEEE_F64LE_g)            \
  X(H5T_C_S1_g)

typedef struct tg_hdf5 {
#define TG_HDF5_FIELD(name) __typeof__(&name) name##_;
  TG_HDF5_FUNCTIONS(TG_HDF5_FIELD)
#undef TG_HDF5_FIELD
#define TG_HDF5_FIELD(name) const hid_t *name##_;
  TG_HDF5_IDS(TG_HDF5_FIELD)
#undef TG_HDF5_FIELD
} tg_hdf5;

// Loads the library, once in a process; $TRACEGRAD_HDF5 names another file than the one the program was built with.
// TG_UNSUPPORTED where it cannot be loaded, or is of another version. Local.
tg_status tg_hdf5_load(void);
// What was loaded.
const tg_hdf5 *tg_hdf5_get(void);

#ifndef TG_HDF5_LIBRARY_IMPLEMENTATION
#undef H5Aclose
#define H5Aclose (tg_hdf5_get()->H5Aclose_)
#undef H5Aexists
#define H5Aexists (tg_hdf5_get()->H5Aexists_)
#undef H5Aget_type
#define H5Aget_type (tg_hdf5_get()->H5Aget_type_)
#undef H5Aopen
#define H5Aopen (tg_hdf5_get()->H5Aopen_)
#undef H5Aread
#define H5Aread (tg_hdf5_get()->H5Aread_)
#undef H5Dclose
#define H5Dclose (tg_hdf5_get()->H5Dclose_)
#undef H5Dcreate2
#define H5Dcreate2 (tg_hdf5_get()->H5Dcreate2_)
#undef H5Dget_create_plist
#define H5Dget_create_plist (tg_hdf5_get()->H5Dget_create_plist_)
#undef H5Dget_offset
#define H5Dget_offset (tg_hdf5_get()->H5Dget_offset_)
#undef H5Dget_space
#define H5Dget_space (tg_hdf5_get()->H5Dget_space_)
#undef H5Dget_type
#define H5Dget_type (tg_hdf5_get()->H5Dget_type_)
#undef H5Dread
#define H5Dread (tg_hdf5_get()->H5Dread_)
#undef H5Eget_auto2
#define H5Eget_auto2 (tg_hdf5_get()->H5Eget_auto2_)
#undef H5Eset_auto2
#define H5Eset_auto2 (tg_hdf5_get()->H5Eset_auto2_)
#undef H5Ewalk2
#define H5Ewalk2 (tg_hdf5_get()->H5Ewalk2_)
#undef H5Fclose
#define H5Fclose (tg_hdf5_get()->H5Fclose_)
#undef H5Fcreate
#define H5Fcreate (tg_hdf5_get()->H5Fcreate_)
#undef H5Fflush
#define H5Fflush (tg_hdf5_get()->H5Fflush_)
#undef H5Fget_file_image
#define H5Fget_file_image (tg_hdf5_get()->H5Fget_file_image_)
#undef H5Fis_hdf5
#define H5Fis_hdf5 (tg_hdf5_get()->H5Fis_hdf5_)
#undef H5Fopen
#define H5Fopen (tg_hdf5_get()->H5Fopen_)
#undef H5Iget_type
#define H5Iget_type (tg_hdf5_get()->H5Iget_type_)
#undef H5Lget_info
#define H5Lget_info (tg_hdf5_get()->H5Lget_info_)
#undef H5Lvisit
#define H5Lvisit (tg_hdf5_get()->H5Lvisit_)
#undef H5Oclose
#define H5Oclose (tg_hdf5_get()->H5Oclose_)
#undef H5Oopen
#define H5Oopen (tg_hdf5_get()->H5Oopen_)
#undef H5Pclose
#define H5Pclose (tg_hdf5_get()->H5Pclose_)
#undef H5Pcreate
#define H5Pcreate (tg_hdf5_get()->H5Pcreate_)
#undef H5Pget_external_count
#define H5Pget_external_count (tg_hdf5_get()->H5Pget_external_count_)
#undef H5Pget_filter2
#define H5Pget_filter2 (tg_hdf5_get()->H5Pget_filter2_)
#undef H5Pget_layout
#define H5Pget_layout (tg_hdf5_get()->H5Pget_layout_)
#undef H5Pget_nfilters
#define H5Pget_nfilters (tg_hdf5_get()->H5Pget_nfilters_)
#undef H5Pset_alloc_time
#define H5Pset_alloc_time (tg_hdf5_get()->H5Pset_alloc_time_)
#undef H5Pset_create_intermediate_group
#define H5Pset_create_intermediate_group (tg_hdf5_get()->H5Pset_create_intermediate_group_)
#undef H5Pset_elink_cb
#define H5Pset_elink_cb (tg_hdf5_get()->H5Pset_elink_cb_)
#undef H5Pset_fapl_core
#define H5Pset_fapl_core (tg_hdf5_get()->H5Pset_fapl_core_)
#undef H5Pset_file_locking
#define H5Pset_file_locking (tg_hdf5_get()->H5Pset_file_locking_)
#undef H5Pset_fill_time
#define H5Pset_fill_time (tg_hdf5_get()->H5Pset_fill_time_)
#undef H5Pset_layout
#define H5Pset_layout (tg_hdf5_get()->H5Pset_layout_)
#undef H5Pset_libver_bounds
#define H5Pset_libver_bounds (tg_hdf5_get()->H5Pset_libver_bounds_)
#undef H5Pset_obj_track_times
#define H5Pset_obj_track_times (tg_hdf5_get()->H5Pset_obj_track_times_)
#undef H5Sclose
#define H5Sclose (tg_hdf5_get()->H5Sclose_)
#undef H5Screate_simple
#define H5Screate_simple (tg_hdf5_get()->H5Screate_simple_)
#undef H5Sget_simple_extent_dims
#define H5Sget_simple_extent_dims (tg_hdf5_get()->H5Sget_simple_extent_dims_)
#undef H5Sget_simple_extent_type
#define H5Sget_simple_extent_type (tg_hdf5_get()->H5Sget_simple_extent_type_)
#undef H5Sselect_hyperslab
#define H5Sselect_hyperslab (tg_hdf5_get()->H5Sselect_hyperslab_)
#undef H5Tclose
#define H5Tclose (tg_hdf5_get()->H5Tclose_)
#undef H5Tcopy
#define H5Tcopy (tg_hdf5_get()->H5Tcopy_)
#undef H5Tget_class
#define H5Tget_class (tg_hdf5_get()->H5Tget_class_)
#undef H5Tget_member_index
#define H5Tget_member_index (tg_hdf5_get()->H5Tget_member_index_)
#undef H5Tget_nmembers
#define H5Tget_nmembers (tg_hdf5_get()->H5Tget_nmembers_)
#undef H5Tget_order
#define H5Tget_order (tg_hdf5_get()->H5Tget_order_)
#undef H5Tget_sign
#define H5Tget_sign (tg_hdf5_get()->H5Tget_sign_)
#undef H5Tget_size
#define H5Tget_size (tg_hdf5_get()->H5Tget_size_)
#undef H5Tis_variable_str
#define H5Tis_variable_str (tg_hdf5_get()->H5Tis_variable_str_)
#undef H5Tset_size
#define H5Tset_size (tg_hdf5_get()->H5Tset_size_)
#undef H5Zfilter_avail
#define H5Zfilter_avail (tg_hdf5_get()->H5Zfilter_avail_)
#undef H5P_FILE_ACCESS
#define H5P_FILE_ACCESS (*tg_hdf5_get()->H5P_CLS_FILE_ACCESS_ID_g_)
#undef H5P_LINK_CREATE
#define H5P_LINK_CREATE (*tg_hdf5_get()->H5P_CLS_LINK_CREATE_ID_g_)
#undef H5P_LINK_ACCESS
#define H5P_LINK_ACCESS (*tg_hdf5_get()->H5P_CLS_LINK_ACCESS_ID_g_)
#undef H5P_DATASET_CREATE
#define H5P_DATASET_CREATE (*tg_hdf5_get()->H5P_CLS_DATASET_CREATE_ID_g_)
#undef H5T_NATIVE_DOUBLE
#define H5T_NATIVE_DOUBLE (*tg_hdf5_get()->H5T_NATIVE_DOUBLE_g_)
#undef H5T_IEEE_F64LE
#define H5T_IEEE_F64LE (*tg_hdf5_get()->H5T_IEEE_F64LE_g_)
#undef H5T_C_S1
#define H5T_C_S1 (*tg_hdf5_get()->H5T_C_S1_g_)
// Those of hdf5.h open the library and check its version.
#undef H5F_ACC_RDONLY
#define H5F_ACC_RDONLY 0x0000U
#undef H5F_ACC_TRUNC
#define H5F_ACC_TRUNC 0x0002U
#endif

#endif
