"""A stand-in of the test harness of Apache CloudStack, which needs a cloud.

The folder above is what pip leaves of a distribution, so nose finds it as it finds the real one.
"""
