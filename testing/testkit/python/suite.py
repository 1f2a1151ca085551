"""Runs the unittest classes of a script and tells the outcome of each test as one line of JSON, as it comes."""
import inspect
import json
import signal
import sys
import unittest


class _Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.bad = []
        self.skip = None

    def addError(self, test, err):
        super().addError(test, err)
        detail = self._exc_info_to_string(err, test)
        if isinstance(test, unittest.suite._ErrorHolder):  # setUpClass or setUpModule: every test of it fails
            self.broken = detail
            print(detail, file=sys.stderr, flush=True)
        else:
            self.bad.append(detail)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.append(self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad.append(f'{subtest}\n{self._exc_info_to_string(err, test)}')

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skip = reason or 'no sample for it'

    def stopTest(self, test):
        super().stopTest(test)
        outcome = 'failed' if self.bad else 'skipped' if self.skip else 'passed'
        print(json.dumps({'test': name_of(test), 'outcome': outcome, 'detail': '\n'.join(self.bad) or self.skip or ''}), flush=True)


def name_of(test):
    return f'{type(test).__name__}.{test._testMethodName}'


def _tests(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _tests(each)
        else:
            yield each


def in_order(cls):
    """Test methods in the order they are written (inherited ones first, by name)."""
    loader = unittest.defaultTestLoader
    lines = {name: i for i, name in enumerate(vars(cls))}
    return sorted(loader.getTestCaseNames(cls), key=lambda name: lines.get(name, -1))


def listing():
    """Only the names of the tests are wanted: nothing is installed yet."""
    return '--list' in sys.argv


def main(classes=None):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that tearDownClass runs
    module = sys.modules['__main__']
    if classes is None:
        classes = [c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, unittest.TestCase) and c.__module__ == '__main__']
    suite = unittest.TestSuite(unittest.TestSuite(cls(name) for name in in_order(cls)) for cls in classes)
    if listing():
        print(json.dumps([name_of(t) for t in _tests(suite)]))
        return
    only = [a[len('--only='):] for a in sys.argv if a.startswith('--only=')]
    if only:
        suite = unittest.TestSuite(unittest.TestSuite(t for t in _tests(s) if any(o in name_of(t) for o in only)) for s in suite)
    result = suite.run(_Result())
    sys.exit(0 if result.wasSuccessful() else 1)
