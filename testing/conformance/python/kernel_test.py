"""Jupyter's own kernel test suite (jupyter_kernel_test), unmodified, with our samples."""
import sys

import jupyter_kernel_test
import suite
from profiles import profile

name, samples = profile(sys.argv)
attributes = dict(samples['kernel_test'])
attributes |= {'kernel_name': name, 'language_name': samples['language_info']['name'], 'file_extension': samples['language_info']['file_extension']}
Kernel = type('Kernel', (jupyter_kernel_test.KernelTests,), attributes)
suite.main([Kernel])
