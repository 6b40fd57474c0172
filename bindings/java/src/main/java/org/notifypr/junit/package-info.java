/** A listener of the JUnit platform that reports test runs. */
package org.notifypr.junit;
