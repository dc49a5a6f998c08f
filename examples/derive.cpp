// The same from C++17: a derivation that frees itself, failures as exceptions, a claim that is checked.
//
//     c++ -std=c++17 derive.cpp -o derive_cpp $(pkg-config --cflags --libs tracegrad-calculus)
#include <tracegrad.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

void check(int exit_class)
{
  if (exit_class != 0) throw std::runtime_error(tracegrad_error());
}

class Derivation
{
public:
  Derivation(const std::string &expression, std::vector<const char *> options)
  {
    tracegrad_derivation *made = nullptr;
    options.push_back(nullptr);
    check(tracegrad_derive(expression.c_str(), options.data(), &made));
    held.reset(made);
  }

  std::string text(tracegrad_part part, tracegrad_format format = TRACEGRAD_EXPR, int k = 0) const
  {
    const char *found = nullptr;
    check(tracegrad_derivation_text(held.get(), part, k, format, &found));
    return found;
  }

  bool is(const std::string &claim, int k = 0) const
  {
    int verdict = TRACEGRAD_UNDECIDED;
    check(tracegrad_derivation_claim(held.get(), k, claim.c_str(), &verdict, nullptr));
    return verdict == TRACEGRAD_EQUAL;
  }

private:
  struct Destroy {
    void operator()(tracegrad_derivation *d) const
    {
      tracegrad_derivation_destroy(&d);
    }
  };
  std::unique_ptr<tracegrad_derivation, Destroy> held;
};

} // namespace

int main()
{
  try {
    const Derivation ridge("sumsq(Y - X*W) + lambda*sumsq(W)", {"wrt=W", "steps=true"});
    std::cout << ridge.text(TRACEGRAD_DERIVATIVE) << '\n'
              << ridge.text(TRACEGRAD_DERIVATIVE, TRACEGRAD_NUMPY) << '\n'
              << ridge.text(TRACEGRAD_STEPS, TRACEGRAD_HUMAN);
    std::cout << std::boolalpha << ridge.is("2*X'*(X*W - Y) + 2*lambda*W") << ' ' << ridge.is("X'*(X*W - Y)") << '\n';
  } catch (const std::runtime_error &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
  try {
    const Derivation wrong("tr(A*X", {"wrt=X"});
  } catch (const std::runtime_error &error) {
    std::cout << error.what() << '\n';
  }
  return EXIT_SUCCESS;
}
