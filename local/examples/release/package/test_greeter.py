import unittest

import greeter


class Greeting(unittest.TestCase):
    def test_by_name(self):
        self.assertEqual(greeter.greet("Ada"), "Hello, Ada!")

    def test_without_spaces(self):
        self.assertEqual(greeter.greet("  Bob "), "Hello, Bob!")

    def test_nobody(self):
        with self.assertRaises(ValueError):
            greeter.greet(" ")
