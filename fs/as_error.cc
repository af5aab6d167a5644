#include "fs/as_error.h"

#include <cerrno>
#include <new>
#include <system_error>

namespace imagefs::fs {

Error as_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ENOMEM, "out of memory");
  } catch (const std::system_error& error) {
    return Error(error.code().value(), error.what());
  } catch (const std::exception& error) {
    return Error(EIO, error.what());
  }
}

}  // namespace imagefs::fs
